using System.Net;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Finds what the upstream publishes about itself as a protected resource (RFC 9728).</summary>
internal static class ResourceDiscovery
{
    /// <returns>The document that speaks for the URL, or null where there is none.</returns>
    /// <exception cref="OAuthException">The document speaks for another resource.</exception>
    public static async Task<ResourceMetadata?> FindAsync(
        OAuthHttp http, Uri resource, Challenge? challenge, DiscoveryLog log, CancellationToken cancellationToken)
    {
        string? named = challenge?.ResourceMetadata;
        IEnumerable<string> places = named is null ? WellKnown.ForResource(resource) : WellKnown.ForResource(resource).Prepend(named).Distinct();
        foreach (string place in places)
        {
            if (await FindAtAsync(http, place, resource, log, cancellationToken).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static async Task<ResourceMetadata?> FindAtAsync(OAuthHttp http, string place, Uri resource, DiscoveryLog log, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(place, UriKind.Absolute, out _))
        {
            log.Add($"{place}: not a URL");
            return null;
        }

        (HttpStatusCode status, ResourceMetadata? found) =
            await http.GetJsonAsync(place, DiscoveryJson.Default.ResourceMetadata, cancellationToken).ConfigureAwait(false);
        log.Add($"GET {place}", status, found?.Resource is not null);
        if (found?.Resource is null)
        {
            return null;
        }

        return found.Covers(resource)
            ? found
            : throw OAuthException.Refused(
                "resource-mismatch",
                $"{place} describes the resource {found.Resource}, not {WellKnown.Origin(resource)}{resource.AbsolutePath}; no token is asked for on its word. "
                + "Give the target as it is written there, or have the document corrected.");
    }
}
