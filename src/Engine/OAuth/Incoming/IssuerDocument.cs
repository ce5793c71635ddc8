using System.Text.Json;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Fetches the metadata of the issuer of incoming tokens: by OpenID Connect Discovery, then by RFC 8414.</summary>
internal sealed class IssuerDocument(OAuthHttp http, string issuer, ILogger logger)
{
    /// <summary>Fetches the first metadata document that is about this issuer.</summary>
    /// <exception cref="IOException">There is no such document, or it cannot be fetched now.</exception>
    public Task<JsonElement> FetchAsync(CancellationToken cancellationToken) => FetchAsync(static _ => true, cancellationToken);

    /// <summary>Fetches the first metadata document about this issuer that meets a condition; if none does, returns the first one about this issuer.</summary>
    /// <param name="says">The condition.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="IOException">There is no such document, or it cannot be fetched now.</exception>
    public async Task<JsonElement> FetchAsync(Func<JsonElement, bool> says, CancellationToken cancellationToken)
    {
        // These are the URLs that MCP clients try, in reverse order, since most issuers of incoming tokens use OpenID Connect.
        IEnumerable<string> places = WellKnown.ForIssuer(new Uri(issuer)).Reverse();
        var log = new DiscoveryLog(logger);
        JsonElement? first = null;
        try
        {
            await foreach ((_, JsonElement document) in ServerDiscovery.DocumentsAsync(http, issuer, places, log, cancellationToken).ConfigureAwait(false))
            {
                if (says(document))
                {
                    return document;
                }

                first ??= document;
            }
        }
        catch (OAuthException failure)
        {
            throw new IOException(failure.Message, failure);
        }

        if (first is not null)
        {
            return first.Value;
        }

        OAuthException nothing = log.NothingFound(
            "issuer-without-metadata",
            $"The issuer {issuer} publishes no usable metadata (OpenID Connect Discovery, RFC 8414).",
            "Check the issuer's URL, or give the URL of its key set.");
        throw new IOException(nothing.Message, nothing);
    }
}
