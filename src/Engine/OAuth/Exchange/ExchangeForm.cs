using Duende.IdentityModel;
using Duende.IdentityModel.Client;

namespace McpProxyFast.OAuth.Exchange;

/// <summary>Builds the form parameters of a policy's token exchange requests.</summary>
internal sealed class ExchangeForm
{
    private const string OnBehalfOf = "on_behalf_of";

    /// <summary>The policy whose requests are built. Never changes.</summary>
    private readonly TokenExchangePolicy _policy;

    public ExchangeForm(TokenExchangePolicy policy)
    {
        _policy = policy;
        GrantType = policy.Variant is TokenExchangeVariant.Rfc8693 exchange
            ? exchange.GrantType ?? OidcConstants.GrantTypes.TokenExchange
            : OidcConstants.GrantTypes.JwtBearer;
    }

    public string GrantType { get; }

    /// <summary>All that a request contains except the tokens, in a fixed order. Two policies with different requests have different fingerprints.</summary>
    public string Fingerprint => string.Join('\n', Fixed()
        .Prepend(new(OidcConstants.TokenRequest.GrantType, GrantType))
        .Prepend(new("url", _policy.TokenUrl.OriginalString))
        .Append(new("client", _policy.Client?.ToString() ?? ""))
        .Select(parameter => $"{parameter.Key}={Uri.EscapeDataString(parameter.Value)}"));

    /// <summary>The values of the further parameters that the operator has set. They may be secrets.</summary>
    public IEnumerable<string> Values => _policy.Parameters.Select(parameter => parameter.Value);

    /// <summary>Returns the parameters of one request.</summary>
    /// <param name="subject">The subject's token.</param>
    /// <param name="actor">The actor's token; null if there is none.</param>
    public Parameters For(string subject, string? actor)
    {
        bool isExchange = _policy.Variant is TokenExchangeVariant.Rfc8693;
        var parameters = new Parameters { { isExchange ? OidcConstants.TokenRequest.SubjectToken : OidcConstants.TokenRequest.Assertion, subject } };
        if (actor is not null)
        {
            parameters.Add(OidcConstants.TokenRequest.ActorToken, actor);
        }

        foreach ((string name, string value) in Fixed())
        {
            parameters.Add(name, value);
        }

        return parameters;
    }

    private IEnumerable<KeyValuePair<string, string>> Fixed() =>
    [
        .. OfVariant(),
        .. _policy.Variant.Scopes.Count == 0 ? [] : Each(OidcConstants.TokenRequest.Scope, [string.Join(' ', _policy.Variant.Scopes)]),
        .. _policy.Parameters,
    ];

    private IEnumerable<KeyValuePair<string, string>> OfVariant() => _policy.Variant switch
    {
        TokenExchangeVariant.Rfc8693 exchange =>
        [
            .. Each(OidcConstants.TokenRequest.SubjectTokenType, [exchange.SubjectTokenType.Urn]),
            .. Each(OidcConstants.TokenRequest.ActorTokenType, exchange.Actor is { } actor ? [actor.TokenType.Urn] : []),
            .. Each(OidcConstants.TokenRequest.Audience, exchange.Audiences),
            .. Each(OidcConstants.TokenRequest.Resource, exchange.Resources),
            .. Each(OidcConstants.TokenRequest.RequestedTokenType, exchange.RequestedTokenType is { } type ? [type.Urn] : []),
        ],
        TokenExchangeVariant.JwtBearer assertion =>
        [
            .. Each(OidcConstants.TokenRequest.Audience, assertion.Audiences),
            .. Each(OidcConstants.TokenRequest.Resource, assertion.Resources),
        ],
        _ => Each("requested_token_use", [OnBehalfOf]),
    };

    private static IEnumerable<KeyValuePair<string, string>> Each(string name, IEnumerable<string> values) =>
        values.Select(value => new KeyValuePair<string, string>(name, value));
}
