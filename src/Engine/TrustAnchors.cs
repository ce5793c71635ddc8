using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpProxyFast;

/// <summary>Checks certificates of the upstream and of authorization servers with further trust anchors, besides those of the system.</summary>
internal static class TrustAnchors
{
    /// <summary>Creates a callback that checks a server's certificate with the system's trust anchors and the given ones.</summary>
    /// <param name="given">The further trust anchors; null if there are none.</param>
    /// <returns>The callback; null if there are no further trust anchors, so that the system's check is enough.</returns>
    public static RemoteCertificateValidationCallback? Check(X509Certificate2Collection? given) =>
        given is not { Count: > 0 } ? null : (_, certificate, chain, errors) => IsTrusted(given, certificate, chain, errors);

    /// <summary>
    /// Whether a certificate is trusted. If the system's check has found only errors in the certificate chain, such as an unknown root, the chain is checked
    /// again with the given trust anchors. If it has found any other error, such as a wrong host name, the certificate is refused.
    /// </summary>
    private static bool IsTrusted(X509Certificate2Collection given, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors is SslPolicyErrors.None)
        {
            return true;
        }

        if (errors is not SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf || chain is null)
        {
            return false;
        }

        // The second check differs from the first only in the trust anchors: it requires a certificate for servers, uses the intermediate certificates that the
        // server has sent, and does not check revocation.
        using var retried = new X509Chain();
        retried.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        retried.ChainPolicy.CustomTrustStore.AddRange(given);
        retried.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        retried.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (Oid purpose in chain.ChainPolicy.ApplicationPolicy)
        {
            retried.ChainPolicy.ApplicationPolicy.Add(purpose);
        }

        return retried.Build(leaf);
    }
}
