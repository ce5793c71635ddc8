using System.Text.Json;
using McpProxyFast.EndToEnd.Roles.Origin;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>The origin of a run, in its own process.</summary>
internal sealed class OriginProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;

    private OriginProcess(ChildProcess process, int port, int tlsPort)
    {
        _process = process;
        Port = port;
        TlsPort = tlsPort;
    }

    public int Id => _process.Id;

    public int Port { get; }

    public int TlsPort { get; }

    public static async Task<OriginProcess> StartAsync(int port, Materials materials, Cores cores)
    {
        var plan = new OriginPlan
        {
            Port = port,
            TlsPort = FreePort.Next(),
            CertificateFile = materials.CertificateFile,
            DiscoveryDocument = materials.DiscoveryDocument,
            KeySet = materials.KeySet,
            InjectedToken = materials.InjectedToken,
        };
        ChildProcess process = ChildProcess.Start(Command.Role("origin"), cores.Others);
        process.Tell(JsonSerializer.Serialize(plan));
        if (await process.ReadLineAsync(StartTimeout) != OriginRole.Ready)
        {
            throw new InvalidOperationException($"The origin did not start: {process.LastOutput}");
        }

        return new OriginProcess(process, plan.Port, plan.TlsPort);
    }

    public void Dispose() => _process.Dispose();
}
