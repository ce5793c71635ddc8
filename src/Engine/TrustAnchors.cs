using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpProxyFast;

/// <summary>Checks certificates with trust anchors that are given besides the system's, for the upstream and for authorization servers.</summary>
internal static class TrustAnchors
{
    /// <summary>Checks a server's certificate against the system's trust anchors, and against those given.</summary>
    /// <param name="given">The given anchors; null if there are none.</param>
    /// <returns>The check; null if only the system's trust anchors count.</returns>
    public static RemoteCertificateValidationCallback? Check(X509Certificate2Collection? given) =>
        given is not { Count: > 0 } ? null : (_, certificate, chain, errors) => IsTrusted(given, certificate, chain, errors);

    /// <summary>
    /// Whether a certificate is trusted. The system's result counts, unless its only error is an unknown root; then the given anchors are tried. The name is
    /// always checked.
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

        // Everything else is checked as in the first attempt: the certificate is for a server, the server's intermediate certificates are used, revocation is
        // not checked.
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
