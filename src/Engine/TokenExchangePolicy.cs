namespace McpProxyFast;

/// <summary>A token that an authorization server gives in exchange for another (RFC 8693): each caller's own, or one of the proxy's.</summary>
/// <remarks>
/// It replaces <c>Authorization</c>, unless <see cref="FieldName"/> is set; the token that was exchanged never travels on. The new token is kept
/// until it, or the token that was exchanged, ends. It is used only for a caller that sends that same token again.
/// </remarks>
public sealed record TokenExchangePolicy : OutgoingPolicy
{
    /// <summary>Longest value of a parameter, in characters.</summary>
    private const int MaxParameter = 8 * 1024;

    /// <summary>Parameters that the proxy writes itself.</summary>
    private static readonly string[] Own =
    [
        "grant_type", "subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "requested_token_use", "assertion",
        "audience", "resource", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type",
    ];

    /// <summary>Exchanges at a token endpoint.</summary>
    /// <param name="tokenUrl">The endpoint.</param>
    /// <exception cref="ArgumentException">It is neither https nor http on loopback.</exception>
    public TokenExchangePolicy(Uri tokenUrl) => TokenUrl = PolicyValue.SecureUrl(tokenUrl, nameof(TokenUrl), "token exchange URL");

    /// <summary>The token endpoint.</summary>
    public Uri TokenUrl { get; }

    /// <summary>Whose token is exchanged.</summary>
    /// <value>Default <see cref="TokenExchangeSubject.Caller"/>.</value>
    public TokenExchangeSubject Subject { get; init; } = TokenExchangeSubject.Caller;

    /// <summary>The form of the request.</summary>
    /// <value>Default <see cref="TokenExchangeVariant.Rfc8693"/>, in which nothing is named but the subject's token.</value>
    public TokenExchangeVariant Variant { get; init; } = new TokenExchangeVariant.Rfc8693();

    /// <summary>The proxy's client at the token endpoint.</summary>
    /// <value>Default null: nobody.</value>
    public TokenExchangeClient? Client { get; init; }

    /// <summary>Further parameters of the request, such as Google's <c>options</c> or Auth0's <c>connection</c>.</summary>
    /// <value>Default none.</value>
    /// <exception cref="ArgumentException">A name is empty or one of the protocol's own, or a value is too long.</exception>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value.All(IsParameter),
            nameof(Parameters),
            $"A parameter needs a name that is not one of the protocol's own, and a value of at most {MaxParameter} characters.");
    } = [];

    /// <summary>The field that carries the new token, as <c>Bearer TOKEN</c>. The original <c>Authorization</c> does not travel on beside it.</summary>
    /// <value>Null (the default): <c>Authorization</c>.</value>
    /// <exception cref="ArgumentException">It is not a field name, or one that is not to be set.</exception>
    public string? FieldName
    {
        get;
        init => field = value is null ? null : AddedFieldNames.Checked(value, nameof(FieldName));
    }

    /// <inheritdoc/>
    internal override string Description => $"token exchange, {Variant.Name}";

    /// <summary>What gives the actor's token; null if nobody acts for the subject.</summary>
    internal TokenExchangeActor? Actor => (Variant as TokenExchangeVariant.Rfc8693)?.Actor;

    /// <summary>The login that takes part, as the subject or as the actor; null if none does.</summary>
    internal OutgoingPolicy? Login => Subject.Login ?? (Actor is { IsLogin: true } actor ? actor.Source : null);

    /// <inheritdoc/>
    public override void Validate()
    {
        PolicyValue.Require(
            Subject.IsCaller || Actor is not { IsLogin: true }, nameof(TokenExchangeVariant.Rfc8693.Actor), "A login is the subject or the actor, not both.");
        PolicyValue.Require(Login is not TokenExchangePolicy, nameof(Subject), "What an exchange gives is not exchanged again.");
        PolicyValue.Require(
            Login is not OAuthPolicy { DPoP: true }, nameof(OAuthPolicy.DPoP), "A token that is bound to a key (DPoP) cannot be exchanged.");
        PolicyValue.Require(
            Variant is not TokenExchangeVariant.EntraOnBehalfOf || Variant.Scopes.Count > 0,
            nameof(TokenExchangeVariant.Scopes),
            "Entra's on-behalf-of flow needs a scope, such as api://ID/.default.");
        Login?.Validate();
    }
    private static bool IsParameter(KeyValuePair<string, string> given) =>
        PolicyValue.IsWord(given.Key) && !Own.Contains(given.Key, StringComparer.OrdinalIgnoreCase) && given.Value.Length <= MaxParameter;
}
