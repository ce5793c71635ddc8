using System.Text.Json;

namespace McpProxyFast.OAuth.Grants;

/// <summary>How one provider's token endpoint answers, if not as RFC 6749 §5.1 says.</summary>
/// <param name="Name">The provider.</param>
/// <param name="BearerNames">Token types that are Bearer tokens by another name.</param>
/// <param name="PersonsMember">The member that holds the person's tokens, if it is there; null for the answer itself.</param>
internal sealed record TokenDialect(string Name, string[] BearerNames, string? PersonsMember)
{
    /// <summary>RFC 6749.</summary>
    public static TokenDialect Plain { get; } = new("OAuth", [], PersonsMember: null);

    /// <summary>The token type says whose token it is, and beside an application's own token the person's lies in a member.</summary>
    /// <remarks>https://docs.slack.dev/authentication/installing-with-oauth, https://docs.slack.dev/reference/methods/oauth.v2.access</remarks>
    public static TokenDialect Slack { get; } = new("Slack", ["user", "bot"], "authed_user");

    /// <summary>N_A marks an exchanged token that is meant for another server and not for a resource (RFC 8693 §2.2.1).</summary>
    public static TokenDialect Exchange { get; } = new("token exchange", ["N_A"], PersonsMember: null);

    /// <summary>The dialect that the operator has asked for: <c>user_scope</c> as the name of the scope parameter is Slack's alone.</summary>
    public static TokenDialect For(OAuthGrant grant) => grant is OAuthGrant.AuthorizationCode { ScopeParameter: "user_scope" } ? Slack : Plain;

    /// <summary>The object that holds the tokens.</summary>
    public JsonElement TokensIn(JsonElement answer) =>
        PersonsMember is { } name && answer.TryGetProperty(name, out JsonElement persons) && persons.ValueKind is JsonValueKind.Object
            && persons.HasReadableNames() && persons.TextOf("access_token") is { Length: > 0 }
            ? persons
            : answer;

    /// <summary>Whether tokens of this type are sent as Bearer tokens.</summary>
    public bool IsBearer(string type) => type.Equals("Bearer", StringComparison.OrdinalIgnoreCase) || BearerNames.Contains(type);
}
