using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Asks Google about one of its opaque tokens, and converts the answer to the form of RFC 7662.</summary>
internal sealed class GoogleTokenInfo(ProviderHttp http, Uri endpoint)
{
    /// <returns>The claims of the token (RFC 7662 §2.2).</returns>
    /// <exception cref="IOException">Google does not answer, or its answer cannot be used.</exception>
    public async Task<JsonElement> AskAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{endpoint}?access_token={Uri.EscapeDataString(token)}");
        (HttpStatusCode status, byte[] body) = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return status switch
        {
            HttpStatusCode.OK => Translate(ProviderHttp.ParseObject(body, endpoint)),

            // Google answers 400 if it does not know the token.
            HttpStatusCode.BadRequest => ProviderHttp.Claims(new JsonObject { ["active"] = false }),
            _ => throw new IOException($"{ProviderHttp.Place(endpoint)} answered {(int)status}"),
        };
    }

    /// <summary>Converts the answer. Google writes numbers as strings, and leaves out the issuer, which is always the same.</summary>
    private JsonElement Translate(JsonElement answer)
    {
        if (!long.TryParse(answer.TextOf("exp"), NumberStyles.None, CultureInfo.InvariantCulture, out long expires))
        {
            throw new IOException($"{ProviderHttp.Place(endpoint)} gave no valid expiry time (exp) for the token: the URL must be that of Google's tokeninfo");
        }

        return ProviderHttp.Claims(new JsonObject
        {
            ["active"] = true,
            ["iss"] = "https://accounts.google.com",
            ["exp"] = expires,
            ["aud"] = answer.TextOf("aud"),
            ["scope"] = answer.TextOf("scope"),
            ["sub"] = answer.TextOf("sub"),
            ["client_id"] = answer.TextOf("azp"),
        });
    }
}
