using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>One public key of an issuer, and the algorithms that it may verify.</summary>
/// <remarks>
/// RFC 7517, RFC 7518 §6. Only RSA and the three NIST curves are accepted. A symmetric key in a public document would be known to everybody (RFC 8725 §3.1).
/// </remarks>
internal sealed class IssuerKey
{
    private const int MinRsaBits = 2_048;
    private const int MaxRsaBits = 8_192;

    /// <summary><c>RSA</c> for an RSA key. For a key on a curve, the only algorithm of the curve, such as <c>ES256</c>. Never changes.</summary>
    private readonly string _family;

    /// <summary>The <c>alg</c> of the JWK, the only algorithm that the key may be used with; null if the JWK has none. Never changes.</summary>
    private readonly string? _onlyAlgorithm;

    private IssuerKey(string? keyId, string family, string? onlyAlgorithm, AsymmetricSecurityKey key)
    {
        key.KeyId = keyId;
        (KeyId, Key, _family, _onlyAlgorithm) = (keyId, key, family, onlyAlgorithm);
        Fingerprint = $"{keyId} {Convert.ToBase64String(key.ComputeJwkThumbprint())}";
    }

    public string? KeyId { get; }

    public SecurityKey Key { get; }

    /// <summary>A text that is equal for two keys if and only if they have the same id and are the same public key.</summary>
    public string Fingerprint { get; }

    /// <summary>Whether the key may verify a signature with this algorithm.</summary>
    /// <remarks>Each curve has one algorithm (RFC 7518 §3.4). A key that names an algorithm may be used with that one only (RFC 8725 §3.1).</remarks>
    public bool Fits(string algorithm) =>
        (_onlyAlgorithm is null || _onlyAlgorithm == algorithm)
        && (_family == "RSA" ? algorithm is ['R' or 'P', 'S', ..] : algorithm == _family);

    /// <summary>
    /// Reads one key of a JWK set. Returns null if it is not for signatures, is neither an RSA key nor on a NIST curve, has a size that is not accepted, or is
    /// invalid.
    /// </summary>
    public static IssuerKey? Read(JsonElement jwk)
    {
        if (jwk.ValueKind is not JsonValueKind.Object || !MayVerify(jwk))
        {
            return null;
        }

        try
        {
            return jwk.TextOf("kty") switch
            {
                "RSA" => ReadRsa(jwk),
                "EC" => ReadCurve(jwk),
                _ => null,
            };
        }
        catch (Exception fault) when (fault is CryptographicException or FormatException or ArgumentException)
        {
            // An invalid key is ignored, so that the other keys of the set can still be used (RFC 7517 §5).
            return null;
        }
    }

    /// <summary>
    /// Whether the issuer allows the key for signatures (RFC 7517 §4.2 to §4.5). A key is also refused if <c>use</c>, <c>key_ops</c>, <c>alg</c> or <c>kid</c>
    /// has the wrong type.
    /// </summary>
    private static bool MayVerify(JsonElement jwk) =>
        jwk.IsTextOrAbsent("kid")
        && jwk.IsTextOrAbsent("alg")
        && jwk.IsTextOrAbsent("use")
        && jwk.TextOf("use") is null or "sig"
        && (!jwk.TryGetProperty("key_ops", out JsonElement operations)
            || (operations.ValueKind is JsonValueKind.Array && operations.EnumerateArray().Any(IsVerify)));

    private static bool IsVerify(JsonElement operation) => operation.ValueKind is JsonValueKind.String && operation.ValueEquals("verify");

    private static IssuerKey? ReadRsa(JsonElement jwk)
    {
        byte[] modulus = Unpadded(Number(jwk, "n"));
        byte[] exponent = Unpadded(Number(jwk, "e"));
        bool isExponent = exponent.Length is > 0 and <= 8 && (exponent[^1] & 1) == 1 && exponent is not [1];
        return isExponent && Bits(modulus) is >= MinRsaBits and <= MaxRsaBits
            ? new IssuerKey(jwk.TextOf("kid"), "RSA", jwk.TextOf("alg"), new RsaSecurityKey(new RSAParameters { Modulus = modulus, Exponent = exponent }))
            : null;
    }

    /// <summary>Returns a number without leading zero bytes. RFC 7518 §6.3.1.1 forbids these, but some servers write them.</summary>
    private static byte[] Unpadded(byte[]? number) => number.AsSpan().TrimStart((byte)0).ToArray();

    private static int Bits(byte[] unpadded) => unpadded is [var top, ..] ? ((unpadded.Length - 1) * 8) + BitOperations.Log2(top) + 1 : 0;

    private static IssuerKey? ReadCurve(JsonElement jwk)
    {
        (string Algorithm, ECCurve Curve)? kind = jwk.TextOf("crv") switch
        {
            "P-256" => ("ES256", ECCurve.NamedCurves.nistP256),
            "P-384" => ("ES384", ECCurve.NamedCurves.nistP384),
            "P-521" => ("ES512", ECCurve.NamedCurves.nistP521),
            _ => null,
        };
        if (kind is not var (algorithm, curve))
        {
            return null;
        }

        var point = new ECPoint { X = Number(jwk, "x"), Y = Number(jwk, "y") };
        var key = new ECDsaSecurityKey(ECDsa.Create(new ECParameters { Curve = curve, Q = point }));
        return new IssuerKey(jwk.TextOf("kid"), algorithm, jwk.TextOf("alg"), key);
    }

    private static byte[]? Number(JsonElement jwk, string name) =>
        jwk.TextOf(name) is { } text ? Base64UrlEncoder.DecodeBytes(text) : null;
}
