using System.Text;
using System.Text.Json;
using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>What the issuer of incoming tokens publishes about itself, found by OpenID Connect Discovery, then by RFC 8414.</summary>
internal sealed class IssuerDocument(ProviderHttp http, string issuer)
{
    /// <summary>Fetches the document that is about this very issuer.</summary>
    /// <exception cref="IOException">There is none, or it cannot be had now.</exception>
    public async Task<JsonElement> FetchAsync(CancellationToken cancellationToken)
    {
        var complaints = new StringBuilder("discovery found nothing.");

        // The places that MCP clients try, the other way round: issuers of incoming tokens speak OpenID Connect in the first place.
        foreach (string place in WellKnown.ForIssuer(new Uri(issuer)).Reverse())
        {
            var url = new Uri(place);
            if (await http.GetAsync(url, cancellationToken).ConfigureAwait(false) is not { } body)
            {
                complaints.Append($" {place} has no document.");
                continue;
            }

            JsonElement document = ProviderHttp.ParseObject(body, url);
            string? named = ProviderHttp.Text(document, "issuer");

            // RFC 8414 §3.3: a document about another issuer must not be used, or one provider could pose as another.
            if (named == issuer)
            {
                return document;
            }

            complaints.Append($" {place} is about issuer '{named}', not '{issuer}'.");
        }

        throw new IOException(complaints.ToString());
    }
}
