using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace McpProxyFast.OAuth;

/// <summary>Makes the HTTP client for the identity provider of incoming tokens: bounded, without cookies, redirects or a proxy of the environment's.</summary>
internal static class ProviderClient
{
    /// <summary>Longest time of one request, answer included.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Largest answer read, in bytes: 1 MiB. Key sets take a few KiB.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>Most connections to one host: many distinct tokens may be asked about at the same time.</summary>
    public const int MaxConnections = 32;

    // Below it a changed address of the provider is noticed; above it connections are made for nothing.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    public static HttpClient Create(X509Certificate2Collection? trustAnchors)
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            MaxConnectionsPerServer = MaxConnections,
            PooledConnectionLifetime = ConnectionLifetime,
        };
        if (trustAnchors is { Count: > 0 })
        {
            sockets.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                errors is SslPolicyErrors.None
                || (errors is SslPolicyErrors.RemoteCertificateChainErrors && IsIssuedBy(trustAnchors, certificate));
        }

        var client = new HttpClient(sockets) { Timeout = RequestTimeout, MaxResponseContentBufferSize = MaxAnswerBytes };

        // GitHub refuses requests without one.
        client.DefaultRequestHeaders.Add("User-Agent", "mcpproxyfast");
        return client;
    }

    private static bool IsIssuedBy(X509Certificate2Collection trustAnchors, X509Certificate? certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(trustAnchors);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return certificate is not null && chain.Build(new X509Certificate2(certificate));
    }
}
