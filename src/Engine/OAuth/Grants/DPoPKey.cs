using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.OAuth.Grants;

/// <summary>The key to which tokens are bound, and the proofs of its possession (RFC 9449 §4).</summary>
/// <remarks>The collector frees it: a request may be proving with it when another takes its place.</remarks>
internal sealed class DPoPKey
{
    /// <summary>The private key. Set for life.</summary>
    private readonly ECDsa _key;

    /// <summary>Dates the proofs. Set for life.</summary>
    private readonly TimeProvider _clock;

    /// <summary>The key as the token library wants it. Set for life.</summary>
    private readonly SigningCredentials _credentials;

    /// <summary>The proofs' header, which holds the public key. Set for life.</summary>
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

    /// <summary>For the store: refresh tokens of a public client are bound to the key (RFC 9449 §5).</summary>
    public string Export() => Convert.ToBase64String(_key.ExportPkcs8PrivateKey());

    /// <param name="method">The method of the request that the proof goes with.</param>
    /// <param name="url">Its URL; query and fragment do not count (§4.2).</param>
    /// <param name="nonce">The nonce that the server asked for.</param>
    /// <param name="accessToken">The token that goes with it, none at the token endpoint.</param>
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
