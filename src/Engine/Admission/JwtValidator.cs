using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>Validates signed JWT access tokens (RFC 7519, RFC 9068, RFC 8725) by the issuer's keys.</summary>
internal sealed class JwtValidator(TokenPolicy policy, IssuerKeyCache keys, TimeProvider clock) : ITokenValidator
{
    /// <summary>Most signatures checked at the same time: a flood of bad tokens gets half of the machine at most.</summary>
    public static readonly int MaxVerifications = Math.Max(1, Environment.ProcessorCount / 2);

    // RFC 7518 §3.1 without `none` and without HMAC, whose "key" would be the public one (RFC 8725 §2.1).
    private static readonly HashSet<string> Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private static readonly SemaphoreSlim Verifications = new(MaxVerifications);

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = BearerToken.MaxBytes };
    private readonly ClaimRule _claims = new(policy.RequiredScopes);

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        JwtHeader? header;
        try
        {
            header = JwtHeader.Read(token);
        }
        catch (JsonException)
        {
            return TokenVerdict.Invalid("malformed-header");
        }

        return header is null ? TokenVerdict.Invalid("not-a-jwt")
            : FaultOf(header) is { } fault ? TokenVerdict.Invalid(fault)
            : await DecideAsync(token, header, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TokenVerdict> DecideAsync(string token, JwtHeader header, CancellationToken cancellationToken)
    {
        KeyLookup lookup = await keys.FindAsync(header.KeyId, header.Algorithm, cancellationToken).ConfigureAwait(false);
        if (lookup.Refusal is not null)
        {
            return lookup.Refusal;
        }

        TokenValidationResult result = await VerifyAsync(token, lookup.Keys, cancellationToken).ConfigureAwait(false);

        // A token that names no key says nothing of a rotation; only its signature does.
        if (header.KeyId is null
            && result.Exception is SecurityTokenInvalidSignatureException
            && await keys.TryRenewAsync(cancellationToken).ConfigureAwait(false))
        {
            lookup = await keys.FindAsync(header.KeyId, header.Algorithm, cancellationToken).ConfigureAwait(false);
            result = await VerifyAsync(token, lookup.Keys, cancellationToken).ConfigureAwait(false);
        }

        return result.IsValid ? DecideClaims((JsonWebToken)result.SecurityToken) : Refuse(result.Exception);
    }

    private async Task<TokenValidationResult> VerifyAsync(string token, IReadOnlyList<SecurityKey> candidates, CancellationToken cancellationToken)
    {
        var parameters = new TokenValidationParameters
        {
            IssuerSigningKeys = candidates,
            ValidAlgorithms = Algorithms,
            ValidateIssuer = policy.Issuer is not null,
            ValidIssuers = policy.Issuer is null ? null : IssuerName.Spellings(policy.Issuer),
            ValidateAudience = policy.Audiences.Count > 0,
            ValidAudiences = policy.Audiences,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            LifetimeValidator = IsAlive,
        };

        await Verifications.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _handler.ValidateTokenAsync(token, parameters).ConfigureAwait(false);
        }
        finally
        {
            Verifications.Release();
        }
    }

    /// <summary>RFC 7519 §4.1.4 and §4.1.5 by the proxy's clock, which the library cannot be given. A token without <c>exp</c> never gets here alive.</summary>
    private bool IsAlive(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        DateTime now = clock.GetUtcNow().UtcDateTime;
        return expires > now - policy.ClockSkew && !(notBefore > now + policy.ClockSkew);
    }

    private TokenVerdict DecideClaims(JsonWebToken token)
    {
        try
        {
            using JsonDocument payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload), JwtHeader.Strict);
            return IsOfAnotherKind(payload.RootElement)
                ? TokenVerdict.Invalid("not-an-access-token")
                : _claims.Decide(payload.RootElement, Latest(token.ValidTo));
        }
        catch (JsonException)
        {
            // The signature is good, so it is the issuer that wrote a claim twice; the library took one, another reader would take the other.
            return TokenVerdict.Invalid("malformed-payload");
        }
    }

    /// <summary>The last moment at which the token is accepted: its expiry and the clock skew.</summary>
    private DateTimeOffset Latest(DateTime expires) =>
        expires < DateTime.MaxValue - policy.ClockSkew ? expires + policy.ClockSkew : DateTimeOffset.MaxValue;

    private static string? FaultOf(JwtHeader header) =>
        !Algorithms.Contains(header.Algorithm) ? "algorithm-not-allowed"
        : header.HasCritical ? "critical-header"
        : !IsAccessTokenType(header.Type) ? "not-an-access-token"
        : null;

    /// <summary><c>typ</c>: <c>at+jwt</c> (RFC 9068 §2.1) or the general <c>JWT</c>; what says to be something else is (RFC 8725 §3.11).</summary>
    private static bool IsAccessTokenType(string? type) =>
        type is null
        || new[] { "JWT", "at+jwt", "application/at+jwt", "application/jwt" }.Contains(type, StringComparer.OrdinalIgnoreCase);

    /// <summary>Tells ID and refresh tokens that carry the general <c>typ</c>.</summary>
    /// <remarks>By hashes that only ID tokens have (OpenID Connect Core §3.3.2.11), and by the marks of Keycloak and Cognito.</remarks>
    private static bool IsOfAnotherKind(JsonElement payload) =>
        payload.TryGetProperty("at_hash", out _)
        || payload.TryGetProperty("c_hash", out _)
        || payload.TextOf("token_use") is "id"
        || payload.TextOf("typ") is "ID" or "Refresh" or "Offline" or "Logout";

    private TokenVerdict Refuse(Exception fault) => fault switch
    {
        SecurityTokenInvalidLifetimeException { Expires: null } => TokenVerdict.Invalid("no-expiry"),
        SecurityTokenInvalidLifetimeException { NotBefore: { } start } when start > clock.GetUtcNow()
            => TokenVerdict.Invalid("not-yet-valid", start - policy.ClockSkew),
        SecurityTokenInvalidLifetimeException => TokenVerdict.Invalid("expired"),
        SecurityTokenInvalidIssuerException => TokenVerdict.Invalid("wrong-issuer"),
        SecurityTokenInvalidAudienceException => TokenVerdict.Invalid("wrong-audience"),
        SecurityTokenInvalidSignatureException => TokenVerdict.Invalid("bad-signature"),
        _ => TokenVerdict.Invalid("malformed"),
    };
}
