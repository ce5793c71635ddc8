namespace McpProxyFast;

/// <summary>
/// A policy for a token that an authorization server issues in exchange for another token (RFC 8693): for the token that each caller sends, or for a token that
/// the proxy obtains itself (see <see cref="Subject"/>).
/// </summary>
/// <remarks>
/// The new token is sent in <c>Authorization</c>, unless <see cref="FieldName"/> is set. The token that was exchanged is never forwarded. The new token is kept
/// until it or the token that was exchanged expires. If callers' tokens are exchanged, a new token is sent only with requests that have the same caller's
/// token.
/// </remarks>
public sealed record TokenExchangePolicy : OutgoingPolicy
{
    /// <summary>The maximum length of a value in <see cref="Parameters"/>, in characters.</summary>
    private const int MaxParameter = 8 * 1024;

    /// <summary>The names of parameters that the proxy sends itself. <see cref="Parameters"/> must not have these names.</summary>
    private static readonly string[] Own =
    [
        "grant_type", "subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "requested_token_use", "assertion",
        "audience", "resource", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type",
    ];

    /// <summary>Creates a policy that exchanges tokens at a token endpoint.</summary>
    /// <param name="tokenUrl">The endpoint.</param>
    /// <exception cref="ArgumentException">The URL is neither https nor http on loopback.</exception>
    public TokenExchangePolicy(Uri tokenUrl) => TokenUrl = PolicyValue.SecureUrl(tokenUrl, nameof(TokenUrl), "token exchange URL");

    /// <summary>The token endpoint.</summary>
    public Uri TokenUrl { get; }

    /// <summary>Which token is exchanged.</summary>
    /// <value>Default <see cref="TokenExchangeSubject.Caller"/>.</value>
    public TokenExchangeSubject Subject { get; init; } = TokenExchangeSubject.Caller;

    /// <summary>The form of the request.</summary>
    /// <value>Default <see cref="TokenExchangeVariant.Rfc8693"/> without audiences, resources and scopes.</value>
    public TokenExchangeVariant Variant { get; init; } = new TokenExchangeVariant.Rfc8693();

    /// <summary>The proxy's client at the token endpoint.</summary>
    /// <value>Default null: the request names no client.</value>
    public TokenExchangeClient? Client { get; init; }

    /// <summary>Further parameters of the request, such as Google's <c>options</c> or Auth0's <c>connection</c>.</summary>
    /// <value>Default none.</value>
    /// <exception cref="ArgumentException">
    /// A name is not one word of visible ASCII or is a parameter of the protocol itself, or a value is longer than 8,192 characters.
    /// </exception>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value.All(IsParameter),
            nameof(Parameters),
            $"A parameter's name must be given and must not be one that the exchange sets itself; its value may have at most {MaxParameter} characters.");
    } = [];

    /// <summary>
    /// The name of the field in which the new token is sent, as <c>Bearer TOKEN</c>. The client's <c>Authorization</c> is removed in any case.
    /// </summary>
    /// <value>Null (the default): <c>Authorization</c>.</value>
    /// <exception cref="ArgumentException">The value is not a field name, or is a name that <see cref="AddedField"/> refuses.</exception>
    public string? FieldName
    {
        get;
        init => field = value is null ? null : AddedFieldNames.Checked(value, nameof(FieldName));
    }

    /// <inheritdoc/>
    internal override string Description => $"token exchange, {Variant.Name}";

    /// <summary>The actor of the exchange (RFC 8693 §1.1); null if the request names no actor.</summary>
    internal TokenExchangeActor? Actor => (Variant as TokenExchangeVariant.Rfc8693)?.Actor;

    /// <summary>
    /// The policy with which the proxy obtains the subject's or the actor's token itself; null if it obtains neither. Only one of them may be such a token.
    /// </summary>
    internal OutgoingPolicy? Login => Subject.Login ?? (Actor is { IsLogin: true } actor ? actor.Source : null);

    /// <inheritdoc/>
    public override void Validate()
    {
        PolicyValue.Require(
            Subject.IsCaller || Actor is not { IsLogin: true }, nameof(TokenExchangeVariant.Rfc8693.Actor),
                "The outgoing sign-in can be the subject or the actor of an exchange, but not both.");
        PolicyValue.Require(Login is not TokenExchangePolicy, nameof(Subject), "The result of a token exchange cannot be exchanged again.");
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
