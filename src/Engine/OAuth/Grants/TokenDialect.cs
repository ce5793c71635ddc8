using System.Text.Json;

namespace McpProxyFast.OAuth.Grants;

/// <summary>How the answers of one provider's token endpoint differ from RFC 6749 §5.1.</summary>
/// <param name="Name">The provider's name.</param>
/// <param name="BearerNames">Token types of the provider that mean Bearer tokens.</param>
/// <param name="PersonsMember">The member of the answer that may contain the person's tokens; null if they are always in the answer itself.</param>
internal sealed record TokenDialect(string Name, string[] BearerNames, string? PersonsMember)
{
    /// <summary>No difference from RFC 6749.</summary>
    public static TokenDialect Plain { get; } = new("OAuth", [], PersonsMember: null);

    /// <summary>
    /// Slack: the token type says whether the token is a user's or a bot's. If the answer has the bot's own token, the person's token is in the member
    /// <c>authed_user</c>.
    /// </summary>
    /// <remarks>https://docs.slack.dev/authentication/installing-with-oauth, https://docs.slack.dev/reference/methods/oauth.v2.access</remarks>
    public static TokenDialect Slack { get; } = new("Slack", ["user", "bot"], "authed_user");

    /// <summary>
    /// Answers to a token exchange: the type N_A means a token that is for another authorization server, not for a resource (RFC 8693 §2.2.1).
    /// </summary>
    public static TokenDialect Exchange { get; } = new("token exchange", ["N_A"], PersonsMember: null);

    /// <summary>Returns the dialect for a grant: Slack's if the scope parameter is named <c>user_scope</c>, which only Slack uses.</summary>
    public static TokenDialect For(OAuthGrant grant) => grant is OAuthGrant.AuthorizationCode { ScopeParameter: "user_scope" } ? Slack : Plain;

    /// <summary>Returns the JSON object with the tokens: the answer, or the member with the person's tokens.</summary>
    public JsonElement TokensIn(JsonElement answer) =>
        PersonsMember is { } name && answer.TryGetProperty(name, out JsonElement persons) && persons.ValueKind is JsonValueKind.Object
            && persons.HasReadableNames() && persons.TextOf("access_token") is { Length: > 0 }
            ? persons
            : answer;

    /// <summary>Whether tokens of this type are sent as Bearer tokens.</summary>
    public bool IsBearer(string type) => type.Equals("Bearer", StringComparison.OrdinalIgnoreCase) || BearerNames.Contains(type);
}
