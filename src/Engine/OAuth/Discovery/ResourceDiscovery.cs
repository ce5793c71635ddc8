using System.Net;
using System.Text.Json;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Finds the metadata that the upstream publishes about itself as a protected resource (RFC 9728).</summary>
internal static class ResourceDiscovery
{
    /// <returns>The metadata document that covers the URL; null if there is none.</returns>
    /// <exception cref="OAuthException">The document is about another resource, or there may be one but it cannot be read now.</exception>
    public static async Task<ResourceMetadata?> FindAsync(
        OAuthHttp http, Uri resource, Challenge? challenge, DiscoveryLog log, CancellationToken cancellationToken)
    {
        string? named = PlaceOf(challenge?.ResourceMetadata, resource, log);
        if (named is not null && await TryFindAtAsync(http, named, resource, isOutside: true, log, cancellationToken).ConfigureAwait(false) is { } there)
        {
            return there;
        }

        foreach (string place in WellKnown.ForResource(resource).Where(place => place != named))
        {
            if (await TryFindAtAsync(http, place, resource, isOutside: false, log, cancellationToken).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        // There may be a document that can be read later. Without it, the token could be requested from the wrong server, or without the right resource
        // indicator.
        if (log.SawTransient)
        {
            throw log.NothingFound(
                "resource-metadata-unavailable",
                "The upstream's protected resource metadata (RFC 9728) cannot be read at the moment.",
                "A later request tries again. If this goes on, name the authorization server (OAuthPolicy.Server).");
        }

        return log.UnusableResource is null ? null : throw log.UnusableResource.Saying(log.UnusableResource.Message);
    }

    /// <summary>
    /// Returns the metadata URL that a challenge names; a relative one is resolved against the resource's URL. Null if the challenge names none, or it must not
    /// be requested.
    /// </summary>
    private static string? PlaceOf(string? named, Uri resource, DiscoveryLog log)
    {
        if (named is null)
        {
            return null;
        }

        bool isUrl = Uri.TryCreate(resource, named, out Uri? url);
        if (isUrl && (WellKnown.Origin(url!) == WellKnown.Origin(resource) || UrlRule.IsSecure(url!)))
        {
            return url!.IsAbsoluteUri && named.StartsWith(url.Scheme, StringComparison.OrdinalIgnoreCase) ? named : url.AbsoluteUri;
        }

        log.Add($"resource_metadata {named}: {(isUrl ? "not an https URL, so it is not fetched" : "not an absolute URL")}");
        return null;
    }

    /// <summary>
    /// Requests the metadata document at one URL. An answer that exceeds a limit counts as "no document", in the same way as a web page or an error status.
    /// </summary>
    /// <param name="http">Sends the requests.</param>
    /// <param name="place">The URL to request.</param>
    /// <param name="resource">The URL that is protected.</param>
    /// <param name="isOutside">Whether the URL may be on another server. Then the search continues even if that server cannot be reached.</param>
    /// <param name="log">Records the request.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    private static async Task<ResourceMetadata?> TryFindAtAsync(
        OAuthHttp http, string place, Uri resource, bool isOutside, DiscoveryLog log, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAtAsync(http, place, resource, log, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (failure.IsUnusableAnswer || (isOutside && failure.Failure is OAuthFailure.Transient))
        {
            log.Add($"GET {place}", failure);
            log.UnusableResource ??= failure.IsUnusableAnswer ? failure : null;
            return null;
        }
    }

    private static async Task<ResourceMetadata?> FindAtAsync(OAuthHttp http, string place, Uri resource, DiscoveryLog log, CancellationToken cancellationToken)
    {
        log.CountRequest();
        (HttpStatusCode status, JsonElement document) =
            await http.GetJsonAsync(place, DiscoveryJson.Default.JsonElement, cancellationToken).ConfigureAwait(false);
        ResourceMetadata? found = document.ValueKind is JsonValueKind.Object ? DocumentReader.ReadResource(document) : null;
        log.Add($"GET {place}", status, found?.Resource is not null);
        if (found?.Resource is null)
        {
            return null;
        }

        return found.Covers(resource)
            ? found
            : throw OAuthException.Refused(
                "resource-mismatch",
                $"{place} describes the resource {found.Resource}, not {WellKnown.Origin(resource)}{resource.AbsolutePath}, so no token is asked for. "
                + "Set McpProxyOptions.Target to the URL that the document gives, or have the document corrected.");
    }
}
