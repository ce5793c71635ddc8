using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpProxyFast.Harness;

/// <summary>Certificates that sign themselves.</summary>
public static class TestCertificate
{
    /// <summary>That of every TLS peer that a test trusts: for <c>localhost</c> and 127.0.0.1.</summary>
    public static X509Certificate2 Local { get; } = For("localhost");

    /// <param name="name">Of the host.</param>
    /// <param name="purpose">The one extended key usage; null for a certificate that may be used for anything.</param>
    public static X509Certificate2 For(string name, string? purpose = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (name == "localhost")
        {
            names.AddIpAddress(IPAddress.Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        if (purpose is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: true));
        }

        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
