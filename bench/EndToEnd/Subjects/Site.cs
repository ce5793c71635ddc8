using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>Where a subject is put: its port, the origin behind it, and a directory of its own.</summary>
internal sealed record Site
{
    public required int Port { get; init; }

    public required int OriginProcess { get; init; }

    public required int OriginPort { get; init; }

    public required int OriginTlsPort { get; init; }

    public required Variant Variant { get; init; }

    public required Materials Materials { get; init; }

    public required string Directory { get; init; }

    public bool IsTls => Variant is Variant.TlsUpstream;

    public int UpstreamPort => IsTls ? OriginTlsPort : OriginPort;

    public string UpstreamUrl => $"{(IsTls ? "https" : "http")}://127.0.0.1:{UpstreamPort}";
}
