using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.OAuth.Grants;

/// <summary>The key that tokens are bound to (DPoP). Makes the proofs of possession that are sent with requests (RFC 9449 §4).</summary>
/// <remarks>It is not disposed of explicitly, since a request may still use it after it has been replaced. The garbage collector frees it.</remarks>
internal sealed class DPoPKey
{
    /// <summary>The private key. Never changes.</summary>
    private readonly ECDsa _key;

    /// <summary>The clock for the time in the proofs. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>The key as an object of the library that signs the proofs. Never changes.</summary>
    private readonly SigningCredentials _credentials;

    /// <summary>The header of the proofs, which has the public key. Never changes.</summary>
    private readonly Dictionary<string, object> _header;

    private DPoPKey(ECDsa key, TimeProvider clock)
    {
        _key = key;
        _clock = clock;
        _credentials = new SigningCredentials(new ECDsaSecurityKey(key), SecurityAlgorithms.EcdsaSha256);
        ECParameters parameters = key.ExportParameters(includePrivateParameters: false);
        _header = new Dictionary<string, object>
        {
            ["jwk"] = new Dictionary<string, object>
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["x"] = Base64Url.EncodeToString(parameters.Q.X),
                ["y"] = Base64Url.EncodeToString(parameters.Q.Y),
            },
        };
    }

    public static DPoPKey Create(TimeProvider clock) => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), clock);

    public static DPoPKey Import(string exported, TimeProvider clock)
    {
        ECDsa key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(exported), out _);
        return new DPoPKey(key, clock);
    }

    /// <summary>
    /// Returns the private key as text, for the store. It must be stored, since refresh tokens of a public client are bound to it (RFC 9449 §5).
    /// </summary>
    public string Export() => Convert.ToBase64String(_key.ExportPkcs8PrivateKey());

    /// <param name="method">The HTTP method of the request that the proof is sent with.</param>
    /// <param name="url">The URL of that request. Its query and fragment are ignored (§4.2).</param>
    /// <param name="nonce">The last nonce that the server has sent; null if it has sent none.</param>
    /// <param name="accessToken">The access token that is sent with the request; null for a request to the token endpoint.</param>
    public string Prove(string method, Uri url, string? nonce, string? accessToken)
    {
        var claims = new Dictionary<string, object>
        {
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["htm"] = method,
            ["htu"] = url.GetLeftPart(UriPartial.Path),
        };
        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }

        if (accessToken is not null)
        {
            claims["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));
        }

        var descriptor = new SecurityTokenDescriptor
        {
            TokenType = "dpop+jwt",
            IssuedAt = _clock.GetUtcNow().UtcDateTime,
            Claims = claims,
            AdditionalHeaderClaims = _header,
            SigningCredentials = _credentials,
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }
}
