using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Asks GitHub about a token of one of its OAuth apps, and converts the answer to the form of RFC 7662.</summary>
internal sealed class GitHubTokenCheck(ProviderHttp http, Uri endpoint, string clientId, string clientSecret)
{
    private const string GitHub = "https://github.com";

    /// <returns>The claims of the token (RFC 7662 §2.2).</returns>
    /// <exception cref="IOException">GitHub does not answer, or its answer cannot be used.</exception>
    public async Task<JsonElement> AskAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint)
        {
            Content = new StringContent(new JsonObject { ["access_token"] = token }.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.ParseAdd("application/vnd.github+json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{clientId}:{clientSecret}")));
        (HttpStatusCode status, byte[] body) = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return status switch
        {
            HttpStatusCode.OK => Translate(ProviderHttp.ParseObject(body, endpoint)),

            // The token does not belong to the app, or does not have the form of a token.
            HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity => ProviderHttp.Claims(new JsonObject { ["active"] = false }),
            _ => throw new IOException($"{ProviderHttp.Place(endpoint)} answered {(int)status}"),
        };
    }

    /// <summary>Converts the answer. GitHub checks the token for one app, so the token's audiences are the app's client id and GitHub itself.</summary>
    private JsonElement Translate(JsonElement answer)
    {
        var claims = new JsonObject
        {
            ["active"] = true,
            ["iss"] = GitHub,
            ["aud"] = new JsonArray(GitHub, clientId),
            ["sub"] = answer.TryGetProperty("user", out JsonElement user) && user.ValueKind is JsonValueKind.Object ? user.TextOf("login") : null,
            ["scope"] = new JsonArray([.. Scopes(answer).Select(scope => JsonValue.Create(scope))]),
        };
        if (DateTimeOffset.TryParse(answer.TextOf("expires_at"), out DateTimeOffset expires))
        {
            claims["exp"] = expires.ToUnixTimeSeconds();
        }

        return ProviderHttp.Claims(claims);
    }

    private static IEnumerable<string> Scopes(JsonElement answer) =>
        answer.TryGetProperty("scopes", out JsonElement scopes) && scopes.ValueKind is JsonValueKind.Array
            ? scopes.EnumerateArray().Select(scope => scope.ToString())
            : [];
}
