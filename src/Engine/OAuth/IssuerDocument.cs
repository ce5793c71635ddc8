using System.Text.Json;

namespace McpProxyFast.OAuth;

/// <summary>What an issuer publishes about itself, found by OpenID Connect Discovery, then by RFC 8414.</summary>
internal sealed class IssuerDocument(ProviderHttp http, string issuer)
{
    /// <summary>Fetches the document that is about this very issuer.</summary>
    /// <exception cref="IOException">There is none, or it cannot be had now.</exception>
    public async Task<JsonElement> FetchAsync(CancellationToken cancellationToken)
    {
        string complaint = "";
        foreach (Uri place in Places())
        {
            if (await http.GetAsync(place, cancellationToken).ConfigureAwait(false) is not { } body)
            {
                complaint += $" {place} has no document.";
                continue;
            }

            JsonElement document = ProviderHttp.ParseObject(body, place);
            string? named = Text(document, "issuer");

            // RFC 8414 §3.3: a document about another issuer must not be used, or one provider could pose as another.
            if (named == issuer)
            {
                return document;
            }

            complaint += $" {place} is about issuer '{named}', not '{issuer}'.";
        }

        throw new IOException($"discovery found nothing.{complaint}");
    }

    public static string? Text(JsonElement document, string name) =>
        document.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    /// <summary>OpenID Connect Discovery §4 appends to the issuer's path, RFC 8414 §3.1 inserts before it.</summary>
    private IEnumerable<Uri> Places()
    {
        var url = new Uri(issuer);
        string origin = url.GetLeftPart(UriPartial.Authority);
        string path = url.AbsolutePath.TrimEnd('/');
        return [new Uri($"{origin}{path}/.well-known/openid-configuration"), new Uri($"{origin}/.well-known/oauth-authorization-server{path}")];
    }
}
