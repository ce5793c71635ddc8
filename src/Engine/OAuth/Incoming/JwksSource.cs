using System.Text.Json;
using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Fetches an issuer's signing keys: from the URL that the operator has set, or else from the one in the issuer's metadata.</summary>
internal sealed class JwksSource(ProviderHttp http, IssuerDocument? document, Uri? jwksUri)
{
    /// <summary>
    /// Fetches the current JWK set. If the operator has not set its URL, the issuer's metadata is read again each time, since the URL may change.
    /// </summary>
    /// <exception cref="IOException">The key set cannot be fetched.</exception>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(CancellationToken cancellationToken)
    {
        Uri place = jwksUri ?? await DiscoverAsync(cancellationToken).ConfigureAwait(false);
        return await http.GetAsync(place, cancellationToken).ConfigureAwait(false) ?? throw new IOException($"there is no key set at {place}");
    }

    private async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        JsonElement published = await document!.FetchAsync(static found => found.TextOf("jwks_uri") is not null, cancellationToken).ConfigureAwait(false);
        string? named = published.TextOf("jwks_uri");
        return UrlRule.Parse(named) ?? throw new IOException(
            ServerEndpoint.FaultOf("the issuer's metadata", published.TextOf("issuer"), "jwks_uri", named)?.TrimEnd('.')
            ?? "the issuer's metadata names no jwks_uri");
    }
}
