using System.Text.Json;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>What the issuer of incoming tokens publishes about itself, found by OpenID Connect Discovery, then by RFC 8414.</summary>
internal sealed class IssuerDocument(OAuthHttp http, string issuer, ILogger logger)
{
    /// <summary>Fetches the first document that is about this very issuer.</summary>
    /// <exception cref="IOException">There is none, or it cannot be had now.</exception>
    public Task<JsonElement> FetchAsync(CancellationToken cancellationToken) => FetchAsync(static _ => true, cancellationToken);

    /// <summary>Fetches the first document about this very issuer that says something; if none does, the first one.</summary>
    /// <param name="says">Whether a document says it.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="IOException">There is none, or it cannot be had now.</exception>
    public async Task<JsonElement> FetchAsync(Func<JsonElement, bool> says, CancellationToken cancellationToken)
    {
        // The places that MCP clients try, the other way round: issuers of incoming tokens speak OpenID Connect in the first place.
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
            "Check the issuer's URL, or name its key set by URL.");
        throw new IOException(nothing.Message, nothing);
    }
}
