namespace McpProxyFast;

/// <summary>Access tokens that an endpoint is asked about, each of them.</summary>
/// <param name="OpaqueTokens">Who is asked, and how.</param>
public sealed record IntrospectionPolicy(TokenIntrospection OpaqueTokens) : ClaimsPolicy
{
    /// <summary>The issuer that an answer may name; null, unless these are the opaque tokens of a <see cref="JwtPolicy"/>: not checked.</summary>
    internal string? Issuer { get; init; }

    /// <inheritdoc/>
    internal override string Description => $"OpaqueTokens = {OpaqueTokens}, {Recipients}";

    /// <inheritdoc/>
    public override void Validate() => PolicyValue.Require(
        OpaqueTokens is not TokenIntrospection.GoogleTokenInfo || Audiences.Count > 0 || AllowedClients.Count > 0,
        nameof(Audiences),
        "Google's tokeninfo knows every token of Google's, so it needs an audience or allowed clients.");
}
