using System.Text.Json;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>What the origin role is told on its standard input, as one line of JSON.</summary>
internal sealed record OriginPlan
{
    public required int Port { get; init; }

    public required int TlsPort { get; init; }

    /// <summary>PKCS #12 file of the certificate that <see cref="TlsPort"/> shows; no password.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>The discovery document and the key set of the issuer that the origin also plays.</summary>
    public required string DiscoveryDocument { get; init; }

    public required string KeySet { get; init; }

    /// <summary>The credential that requests with <c>?bearer=1</c> must carry.</summary>
    public required string InjectedToken { get; init; }

    public static OriginPlan Read(TextReader input) =>
        JsonSerializer.Deserialize<OriginPlan>(input.ReadLine() ?? "null") ?? throw new InvalidDataException("No plan was given.");
}
