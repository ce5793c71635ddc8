using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>A signing key of a provider, written out by hand so that the tests share no code with what they test.</summary>
internal sealed class TestKey
{
    private readonly Func<byte[], string, byte[]> _sign;

    private TestKey(string? id, string algorithm, string publicMembers, Func<byte[], string, byte[]> sign) =>
        (Id, Algorithm, PublicMembers, _sign) = (id, algorithm, publicMembers, sign);

    public string? Id { get; }

    /// <summary>One that the key can be used for.</summary>
    public string Algorithm { get; }

    public string PublicMembers { get; }

    /// <param name="id">The key's id; null: published without one.</param>
    /// <param name="bits">The size of its modulus.</param>
    /// <param name="zeros">Zero bytes that are published before the modulus.</param>
    public static TestKey Rsa(string? id, int bits = 2048, int zeros = 0)
    {
        RSA rsa = RSA.Create(bits);
        RSAParameters numbers = rsa.ExportParameters(includePrivateParameters: false);
        return new TestKey(
            id,
            "RS256",
            $"\"kty\":\"RSA\",\"n\":\"{Text([.. new byte[zeros], .. numbers.Modulus!])}\",\"e\":\"{Text(numbers.Exponent!)}\"",
            (data, algorithm) => rsa.SignData(data, Hash(algorithm), algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1));
    }

    public static TestKey Curve(string? id, string curve)
    {
        ECDsa key = ECDsa.Create(curve switch
        {
            "P-256" => ECCurve.NamedCurves.nistP256,
            "P-384" => ECCurve.NamedCurves.nistP384,
            _ => ECCurve.NamedCurves.nistP521,
        });
        ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
        return new TestKey(
            id,
            curve switch { "P-256" => "ES256", "P-384" => "ES384", _ => "ES512" },
            $"\"kty\":\"EC\",\"crv\":\"{curve}\",\"x\":\"{Text(point.X!)}\",\"y\":\"{Text(point.Y!)}\"",
            (data, algorithm) => key.SignData(data, Hash(algorithm)));
    }

    public static string SetOf(IEnumerable<TestKey> keys) => $"{{\"keys\":[{string.Join(',', keys.Select(key => key.Published()))}]}}";

    /// <summary>A token with this header and payload, whatever they say.</summary>
    public string Sign(string header, string payload, string algorithm) =>
        Sign(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload), algorithm);

    /// <summary>A token with these bytes as header and payload, be they text or not.</summary>
    public string Sign(byte[] header, byte[] payload, string algorithm)
    {
        string signed = $"{Text(header)}.{Text(payload)}";
        return $"{signed}.{Text(_sign(Encoding.ASCII.GetBytes(signed), algorithm))}";
    }

    public static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private string Published() => $"{{{(Id is null ? "" : $"\"kid\":\"{Id}\",")}{PublicMembers}}}";

    private static HashAlgorithmName Hash(string algorithm) => algorithm[2..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };
}
