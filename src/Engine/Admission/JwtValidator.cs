using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>Validates signed JWT access tokens (RFC 7519, RFC 9068, RFC 8725) with the issuer's keys.</summary>
/// <remarks>
/// The library (Microsoft.IdentityModel) verifies only signatures. The header and the claims are parsed once, strictly, and checked here. So the values that
/// are checked are exactly the values that are used.
/// </remarks>
internal sealed class JwtValidator(JwtPolicy policy, IssuerKeyCache keys, TimeProvider clock) : ITokenValidator
{
    /// <summary>
    /// The maximum number of tokens whose signatures are verified at the same time; further ones wait. So a flood of bad tokens occupies at most half of the
    /// processors (or the only one).
    /// </summary>
    public static readonly int MaxVerifications = Math.Max(1, Environment.ProcessorCount / 2);

    // The algorithms of RFC 7518 §3.1, without `none` and without HMAC, for which an attacker could use the public key as the secret (RFC 8725 §2.1).
    private static readonly HashSet<string> Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private static readonly SemaphoreSlim Verifications = new(MaxVerifications);

    /// <summary>Checks the claims of a token. Never changes.</summary>
    private readonly ClaimRule _claims = new(policy);

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

        if (header is null)
        {
            return TokenVerdict.Invalid("not-a-jwt");
        }

        if (FaultOf(header) is { } fault)
        {
            return TokenVerdict.Invalid(fault);
        }

        using JsonDocument? payload = ReadPayload(token);
        return payload is null ? TokenVerdict.Invalid("malformed-payload")
            : !IsBase64Url(token.AsSpan(token.LastIndexOf('.') + 1)) ? TokenVerdict.Invalid("malformed-signature")
            : await DecideAsync(token, header, payload.RootElement, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TokenVerdict> DecideAsync(string token, JwtHeader header, JsonElement claims, CancellationToken cancellationToken)
    {
        // There are at most two attempts. The second one is made with new keys, since the issuer may have replaced a key, even under the same id.
        for (bool isRenewed = false; ; isRenewed = true)
        {
            KeyLookup lookup = await keys.FindAsync(header.KeyId, header.Algorithm, cancellationToken).ConfigureAwait(false);
            if (lookup.Refusal is not null)
            {
                return lookup.Refusal;
            }

            if (await IsSignedAsync(token, header.Algorithm, lookup.Keys, cancellationToken).ConfigureAwait(false))
            {
                return Decide(claims, lookup.TrustedUntil);
            }

            if (isRenewed || !await keys.TryRenewAsync(lookup.KeySet, cancellationToken).ConfigureAwait(false))
            {
                return TokenVerdict.Invalid("bad-signature", keys.NextRefetch);
            }
        }
    }

    private static async Task<bool> IsSignedAsync(
        string token, string algorithm, IReadOnlyList<SecurityKey> candidates, CancellationToken cancellationToken)
    {
        Debug.Assert(candidates.Count > 0, "Without a key there is nothing to verify with.");
        int end = token.LastIndexOf('.');
        byte[] signed = Encoding.ASCII.GetBytes(token, 0, end);
        byte[] signature = Base64Url.DecodeFromChars(token.AsSpan(end + 1));
        await Verifications.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return candidates.Any(key => IsSignedBy(key, algorithm, signed, signature));
        }
        finally
        {
            Verifications.Release();
        }
    }

    private static bool IsSignedBy(SecurityKey key, string algorithm, byte[] signed, byte[] signature)
    {
        if (signature.Length == 0)
        {
            return false;
        }

        SignatureProvider? verifier = null;
        try
        {
            verifier = key.CryptoProviderFactory.CreateForVerifying(key, algorithm);
            return verifier.Verify(signed, signature);
        }
        catch (Exception)
        {
            // If the library or the system throws because of this key or signature, the signature counts as wrong.
            return false;
        }
        finally
        {
            if (verifier is not null)
            {
                key.CryptoProviderFactory.ReleaseSignatureProvider(verifier);
            }
        }
    }

    /// <summary>Makes the verdict on a token whose signature is valid.</summary>
    /// <param name="claims">The token's payload.</param>
    /// <param name="trustedUntil">Until when the key may be used. The verdict is not reused for longer.</param>
    private TokenVerdict Decide(JsonElement claims, DateTimeOffset trustedUntil)
    {
        if (!ClaimTimes.TryRead(claims, out ClaimTimes times))
        {
            return TokenVerdict.Invalid("malformed-payload");
        }

        string? fault = times.Expires is null ? "no-expiry"
            : times.FaultAt(clock.GetUtcNow(), policy.ClockSkew)
            ?? (policy.Issuer is not null && !IssuerName.Same(claims.TextOf("iss"), policy.Issuer) ? "wrong-issuer" : _claims.FaultOf(claims));
        return fault switch
        {
            null => _claims.Decide(claims, times.EndBy(trustedUntil, policy.ClockSkew), times.Expires),
            "not-yet-valid" => TokenVerdict.Invalid(fault, times.NotBefore - policy.ClockSkew),
            _ => TokenVerdict.Invalid(fault),
        };
    }

    /// <returns>The payload; null if it is not a JSON object, or two parsers could read it differently.</returns>
    private static JsonDocument? ReadPayload(string token)
    {
        ReadOnlySpan<char> text = token.AsSpan(token.IndexOf('.') + 1);
        text = text[..text.IndexOf('.')];
        if (!IsBase64Url(text))
        {
            return null;
        }

        try
        {
            JsonDocument payload = StrictJson.Parse(Base64Url.DecodeFromChars(text));
            return payload.RootElement.ValueKind is JsonValueKind.Object ? payload : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // RFC 7515 §2: Base64url without padding. If padding were accepted, two different texts would be the same token.
    private static bool IsBase64Url(ReadOnlySpan<char> text) => Base64Url.IsValid(text) && !text.Contains('=');

    private static string? FaultOf(JwtHeader header) =>
        !Algorithms.Contains(header.Algorithm) ? "algorithm-not-allowed"
        : header.HasCritical ? "critical-header"
        : !TokenKind.IsAccessTokenType(header.Type) ? "not-an-access-token"
        : null;
}
