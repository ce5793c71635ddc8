using System.Text.Json.Nodes;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>Forges tokens: good ones, and such as differ from a good one in just what the test is about.</summary>
internal sealed class TokenForge(string issuer, TimeProvider clock)
{
    public const string Audience = "https://mcp.example.com/mcp";

    /// <summary>A token by this key, good unless the changes spoil it. A change to null takes the member out.</summary>
    public string Make(TestKey key, string? algorithm = null, Action<JsonObject>? header = null, Action<JsonObject>? payload = null)
    {
        algorithm ??= key.Algorithm;
        JsonObject head = new() { ["alg"] = algorithm, ["typ"] = "at+jwt" };
        if (key.Id is not null)
        {
            head["kid"] = key.Id;
        }

        JsonObject body = Payload();
        header?.Invoke(head);
        payload?.Invoke(body);
        return key.Sign(head.ToJsonString(), body.ToJsonString(), algorithm);
    }

    public JsonObject Payload() => new()
    {
        ["iss"] = issuer,
        ["aud"] = Audience,
        ["sub"] = "alice",
        ["scope"] = "openid mcp",
        ["exp"] = Seconds(TimeSpan.FromMinutes(10)),
        ["iat"] = Seconds(TimeSpan.Zero),
    };

    /// <summary>A NumericDate so far from now.</summary>
    public long Seconds(TimeSpan fromNow) => (clock.GetUtcNow() + fromNow).ToUnixTimeSeconds();
}
