using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>Keys, certificates and tokens of one run: made for it, valid for a day, gone with its directory.</summary>
internal sealed class Materials : IDisposable
{
    public const string Audience = "https://mcp.example/mcp";

    private const string KeyId = "bench";
    private const int SecondsOfADay = 86_400;

    private readonly RSA _signingKey = RSA.Create(2048);
    private readonly string _directory;

    public Materials(string directory, int originPort)
    {
        _directory = directory;
        Issuer = $"http://127.0.0.1:{originPort}";
        CaFile = Path.Combine(directory, "ca.pem");
        CertificateFile = Path.Combine(directory, "origin.p12");
        PublicKeyFile = Path.Combine(directory, "signing-key.pem");
        File.WriteAllText(PublicKeyFile, _signingKey.ExportSubjectPublicKeyInfoPem());
        MakeCertificate();
    }

    public string Issuer { get; }

    public string KeySetUrl => $"{Issuer}/jwks";

    public string CaFile { get; }

    public string CertificateFile { get; }

    public string PublicKeyFile { get; }

    /// <summary>The bearer token that subjects add to requests.</summary>
    public string InjectedToken { get; } = "bench-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    /// <summary>The fields that subjects add to requests; the origin looks for the first.</summary>
    public IReadOnlyList<(string Name, string Value)> AddedFields =>
        [("Authorization", $"Bearer {InjectedToken}"), ("X-Tenant", "acme"), ("X-Api-Key", "0123456789abcdef0123456789abcdef")];

    public string DiscoveryDocument => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["issuer"] = Issuer,
        ["jwks_uri"] = KeySetUrl,
        ["authorization_endpoint"] = $"{Issuer}/authorize",
        ["token_endpoint"] = $"{Issuer}/token",
        ["response_types_supported"] = (string[])["code"],
        ["subject_types_supported"] = (string[])["public"],
        ["id_token_signing_alg_values_supported"] = (string[])["RS256"],
    });

    public string KeySet
    {
        get
        {
            RSAParameters key = _signingKey.ExportParameters(includePrivateParameters: false);
            string modulus = Base64Url.EncodeToString(key.Modulus);
            string exponent = Base64Url.EncodeToString(key.Exponent);
            var entry = new { kty = "RSA", use = "sig", alg = "RS256", kid = KeyId, n = modulus, e = exponent };
            return JsonSerializer.Serialize(new { keys = (object[])[entry] });
        }
    }

    /// <summary>An empty directory for one subject, within that of the run.</summary>
    public string NewDirectory() => Directory.CreateDirectory(Path.Combine(_directory, Path.GetRandomFileName())).FullName;

    public void Dispose() => _signingKey.Dispose();

    /// <summary>A signed access token (RFC 9068) for <see cref="Audience"/>.</summary>
    public string NewToken()
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string head = Encode(new { alg = "RS256", typ = "at+jwt", kid = KeyId });
        string claims = Encode(new Dictionary<string, object>
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = "bench",
            ["client_id"] = "bench",
            ["scope"] = "openid",
            ["jti"] = Guid.NewGuid(),
            ["iat"] = now,
            ["exp"] = now + SecondsOfADay,
        });
        byte[] signature = _signingKey.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{head}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(object part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));

    private void MakeCertificate()
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1);
        DateTimeOffset to = from.AddDays(1);

        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=benchmark authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using X509Certificate2 issuer = authority.CreateSelfSigned(from, to);
        File.WriteAllText(CaFile, issuer.ExportCertificatePem());

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(issuer, from, to, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 certificate = signed.CopyWithPrivateKey(key);
        File.WriteAllBytes(CertificateFile, certificate.Export(X509ContentType.Pkcs12));
    }
}
