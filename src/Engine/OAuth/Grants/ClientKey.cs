using System.Security.Cryptography;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.OAuth.Grants;

/// <summary>The private key with which a client authenticates (<c>private_key_jwt</c>, RFC 7523 §2.2).</summary>
internal sealed class ClientKey(string path, TimeProvider clock)
{
    private static readonly TimeSpan AssertionLifetime = TimeSpan.FromMinutes(1);

    /// <param name="clientId">The client id: the assertion's issuer and subject.</param>
    /// <param name="audience">The issuer identifier of the authorization server: the assertion's audience.</param>
    /// <param name="cancellationToken">Ends the wait for the file.</param>
    /// <exception cref="OAuthException">The key file cannot be read, or has no private key that can sign.</exception>
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
        // The kind of the key is found by trying to import it, since the PEM label does not always name it.
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
            // The key is of another kind. If the import fails for every kind, the caller reports that, without quoting the file.
            algorithm.Dispose();
            return null;
        }
    }
}
