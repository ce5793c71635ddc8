using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Harness;

/// <summary>
/// A port that stays a test's own while the server behind it is stopped: connections are refused then, and no other test is given the port before the server
/// is started again.
/// </summary>
/// <remarks>On Linux a socket that only has the port lets another one listen at it. Elsewhere there is none, and the system's choice has to do.</remarks>
public sealed class HeldPort : IDisposable
{
    private readonly Socket? _holder = OperatingSystem.IsLinux() ? Loopback.Bind() : null;

    /// <summary>The port; 0, for the system's choice, where none can be held.</summary>
    public int Number => (_holder?.LocalEndPoint as IPEndPoint)?.Port ?? 0;

    public void Dispose() => _holder?.Dispose();
}
