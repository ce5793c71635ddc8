using System.Text.Json;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>What the issuer of incoming tokens publishes about itself, found by OpenID Connect Discovery, then by RFC 8414.</summary>
internal sealed class IssuerDocument(OAuthHttp http, string issuer, ILogger logger)
{
    /// <summary>Fetches the document that is about this very issuer.</summary>
    /// <exception cref="IOException">There is none, or it cannot be had now.</exception>
    public async Task<JsonElement> FetchAsync(CancellationToken cancellationToken)
    {
        // The places that MCP clients try, the other way round: issuers of incoming tokens speak OpenID Connect in the first place.
        IEnumerable<string> places = WellKnown.ForIssuer(new Uri(issuer)).Reverse();
        var log = new DiscoveryLog(logger);
        try
        {
            await foreach ((_, JsonElement document) in ServerDiscovery.DocumentsAsync(http, issuer, places, log, cancellationToken).ConfigureAwait(false))
            {
                return document;
            }
        }
        catch (OAuthException failure)
        {
            throw new IOException(failure.Message, failure);
        }

        OAuthException nothing = log.NothingFound(
            "issuer-without-metadata",
            $"The issuer {issuer} publishes no usable metadata (OpenID Connect Discovery, RFC 8414).",
            "Check the issuer's URL, or name its key set by URL.");
        throw new IOException(nothing.Message, nothing);
    }
}
