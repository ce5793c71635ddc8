using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpProxyFast;

/// <summary>The one rule for trust anchors that are given besides the system's: for the upstream as for authorization servers.</summary>
internal static class TrustAnchors
{
    /// <summary>Checks a server's certificate against the system's trust anchors, and against those given.</summary>
    /// <param name="given">The anchors; null for none.</param>
    /// <returns>Null if the system alone decides.</returns>
    public static RemoteCertificateValidationCallback? Check(X509Certificate2Collection? given) =>
        given is not { Count: > 0 } ? null : (_, certificate, chain, errors) => IsTrusted(given, certificate, chain, errors);

    /// <summary>The system's verdict counts, except for an unknown root, which may be among the given anchors. The name is always checked.</summary>
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

        // All else is asked as before: for a server's certificate, with the intermediate ones that the server sent, without a look at revocation lists.
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
