using System.Net;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Finds the metadata of an authorization server (RFC 8414, OpenID Connect Discovery).</summary>
internal static class ServerDiscovery
{
    /// <param name="http">The way out.</param>
    /// <param name="issuer">The issuer, byte for byte.</param>
    /// <param name="log">Takes what was asked.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The first document that is about this very issuer, or null.</returns>
    public static async Task<ServerMetadata?> FindAsync(OAuthHttp http, string issuer, DiscoveryLog log, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out Uri? url) || url.Scheme is not ("https" or "http"))
        {
            log.Add($"issuer {issuer}: not a URL");
            return null;
        }

        foreach (string place in WellKnown.ForIssuer(url))
        {
            (HttpStatusCode status, ServerMetadata? found) =
                await http.GetJsonAsync(place, DiscoveryJson.Default.ServerMetadata, cancellationToken).ConfigureAwait(false);
            log.Add($"GET {place}", status, found is not null);
            if (found is not null && IsAbout(found, issuer, place, log))
            {
                return found;
            }
        }

        return null;
    }

    // RFC 8414 §3.3: a document about another issuer must not be used, or one server could pose as another.
    private static bool IsAbout(ServerMetadata found, string issuer, string place, DiscoveryLog log)
    {
        if (found.Issuer != issuer)
        {
            log.Add($"{place} says issuer {found.Issuer ?? "(none)"} where {issuer} was expected, so it is not used");
            return false;
        }

        if (found.TokenEndpoint is null)
        {
            log.Add($"{place} names no token endpoint");
            return false;
        }

        return true;
    }
}
