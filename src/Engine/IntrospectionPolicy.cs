namespace McpProxyFast;

/// <summary>A policy for access tokens that are checked at an endpoint of the authorization server (introspection).</summary>
/// <param name="OpaqueTokens">The endpoint, and the form of the request to it.</param>
public sealed record IntrospectionPolicy(TokenIntrospection OpaqueTokens) : ClaimsPolicy
{
    /// <summary>
    /// The issuer that is compared with <c>iss</c> in an answer of the endpoint; an answer without <c>iss</c> is accepted. Set only for the opaque tokens of a
    /// <see cref="JwtPolicy"/>. Null: <c>iss</c> is not checked.
    /// </summary>
    internal string? Issuer { get; init; }

    /// <inheritdoc/>
    internal override string Description => $"OpaqueTokens = {OpaqueTokens}, {Recipients}";

    /// <inheritdoc/>
    public override void Validate() => PolicyValue.Require(
        OpaqueTokens is not TokenIntrospection.GoogleTokenInfo || Audiences.Count > 0 || AllowedClients.Count > 0,
        nameof(Audiences),
        "Google's tokeninfo accepts the tokens of every client of Google, so an audience or an allowed client must be given.");
}
