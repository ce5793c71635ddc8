using System.Security.Cryptography;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.OAuth.Grants;

/// <summary>The private key with which a client shows who it is (<c>private_key_jwt</c>, RFC 7523 §2.2).</summary>
internal sealed class ClientKey(string path, TimeProvider clock)
{
    private static readonly TimeSpan AssertionLifetime = TimeSpan.FromMinutes(1);

    /// <param name="clientId">Issuer and subject of the assertion.</param>
    /// <param name="audience">The issuer identifier of the authorization server.</param>
    /// <param name="cancellationToken">Ends the wait for the file.</param>
    /// <exception cref="OAuthException">The file holds no key that can sign.</exception>
    public async Task<string> AssertAsync(string clientId, string audience, CancellationToken cancellationToken)
    {
        string pem = await ReadSecret.FromAsync(path, "client key", cancellationToken).ConfigureAwait(false);
        DateTime now = clock.GetUtcNow().UtcDateTime;
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = clientId,
            Audience = audience,
            IssuedAt = now,
            NotBefore = now,
            Expires = now + AssertionLifetime,
            Claims = new Dictionary<string, object> { ["sub"] = clientId, ["jti"] = Guid.NewGuid().ToString("N") },
            SigningCredentials = Credentials(pem),
        };
        return new JsonWebTokenHandler().CreateToken(descriptor);
    }

    private SigningCredentials Credentials(string pem)
    {
        // The key's own algorithm says which JWS algorithm is meant; the PEM label does not always.
        if (TryImport(ECDsa.Create(), pem) is ECDsa curve)
        {
            string algorithm = curve.KeySize switch
            {
                256 => SecurityAlgorithms.EcdsaSha256,
                384 => SecurityAlgorithms.EcdsaSha384,
                _ => SecurityAlgorithms.EcdsaSha512,
            };
            return new SigningCredentials(new ECDsaSecurityKey(curve), algorithm);
        }

        if (TryImport(RSA.Create(), pem) is RSA rsa)
        {
            return new SigningCredentials(new RsaSecurityKey(rsa), SecurityAlgorithms.RsaSha256);
        }

        throw OAuthException.Refused("client-key-invalid", $"{path} holds neither an EC nor an RSA private key in PEM.");
    }

    private static AsymmetricAlgorithm? TryImport(AsymmetricAlgorithm algorithm, string pem)
    {
        try
        {
            algorithm.ImportFromPem(pem);
            return algorithm;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            // A key of the other kind; when both refuse it, the caller says so without quoting the file.
            algorithm.Dispose();
            return null;
        }
    }
}
