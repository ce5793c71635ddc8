using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Finds the metadata of an authorization server (RFC 8414, OpenID Connect Discovery).</summary>
internal static class ServerDiscovery
{
    /// <summary>Finds the server that issues tokens for the upstream.</summary>
    /// <param name="http">Sends the requests.</param>
    /// <param name="issuer">The issuer identifier, exactly as it was given.</param>
    /// <param name="log">Records the requests.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>
    /// The first document that is about this issuer and names a token endpoint; null if there is none. Then <paramref name="log"/> has the reasons.
    /// </returns>
    public static async Task<ServerMetadata?> FindAsync(OAuthHttp http, string issuer, DiscoveryLog log, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out Uri? url) || url.Scheme is not ("https" or "http"))
        {
            log.Add($"issuer {issuer}: not an absolute URL");
            return null;
        }

        try
        {
            await foreach ((string place, JsonElement document) in
                DocumentsAsync(http, issuer, WellKnown.ForIssuer(url), log, cancellationToken).ConfigureAwait(false))
            {
                ServerMetadata found = DocumentReader.ReadServer(document);
                if (UrlRule.Parse(found.TokenEndpoint) is not null)
                {
                    return found;
                }

                log.Add(ServerEndpoint.FaultOf(place, found.Issuer, "token_endpoint", found.TokenEndpoint)?.TrimEnd('.') ?? $"{place} names no token_endpoint");
            }
        }
        catch (OAuthException failure) when (failure.Code is not DiscoveryLog.TooLong)
        {
            log.Add($"issuer {issuer}", failure);
        }

        return null;
    }

    /// <summary>Requests an issuer's metadata documents, one after another. Used for the issuers of incoming and of outgoing tokens.</summary>
    /// <param name="http">Sends the requests.</param>
    /// <param name="issuer">The issuer identifier, exactly as it was given.</param>
    /// <param name="places">The URLs to request, in this order.</param>
    /// <param name="log">Records the requests.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The JSON objects that are about this issuer. The next URL is requested only when the caller asks for the next object.</returns>
    /// <exception cref="OAuthException">The issuer cannot be reached, or the discovery has made too many requests.</exception>
    public static async IAsyncEnumerable<(string Place, JsonElement Document)> DocumentsAsync(
        OAuthHttp http, string issuer, IEnumerable<string> places, DiscoveryLog log, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string place in places)
        {
            if (await TryReadAsync(http, place, log, cancellationToken).ConfigureAwait(false) is { } document && IsAbout(document, issuer, place, log))
            {
                yield return (place, document);
            }
        }
    }

    /// <summary>
    /// Reads the document at a URL. An answer that exceeds a limit counts as "no document", in the same way as a web page, since another URL may have the
    /// document.
    /// </summary>
    /// <returns>The JSON object; null if the URL has none.</returns>
    /// <exception cref="OAuthException">The server cannot be reached, or takes too long.</exception>
    private static async Task<JsonElement?> TryReadAsync(OAuthHttp http, string place, DiscoveryLog log, CancellationToken cancellationToken)
    {
        log.CountRequest();
        try
        {
            (HttpStatusCode status, JsonElement document) =
                await http.GetJsonAsync(place, DiscoveryJson.Default.JsonElement, cancellationToken).ConfigureAwait(false);
            bool isObject = document.ValueKind is JsonValueKind.Object;
            log.Add($"GET {place}", status, isObject);
            log.FoundServer |= status is not (HttpStatusCode.NotFound or HttpStatusCode.Gone);
            return isObject ? document : null;
        }
        catch (OAuthException failure) when (failure.IsUnusableAnswer)
        {
            log.Add($"GET {place}", failure);
            log.FoundServer = true;
            return null;
        }
    }

    // RFC 8414 §3.3: a document about another issuer must not be used. Otherwise one server could impersonate another.
    private static bool IsAbout(JsonElement document, string issuer, string place, DiscoveryLog log)
    {
        string? named = document.TextOf("issuer");
        bool isSame = IssuerName.Same(named, issuer);
        if (!isSame)
        {
            string hint = named?.Contains('{', StringComparison.Ordinal) is true ? "; the braces stand for a tenant's id: give the issuer of one tenant" : "";
            log.Add($"{place} says issuer {named ?? "(none)"} where {issuer} was expected, so it is not used{hint}");
        }

        return isSame;
    }
}
