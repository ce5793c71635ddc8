using System.IO.Pipelines;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Reads and discards the rest of a request that was answered before it had fully arrived.</summary>
/// <remarks>
/// Closing a socket with unread bytes resets the connection, and a reset can destroy a response that the client has not read yet (RFC 9112 §9.6). Many clients
/// read nothing until they have sent everything. So this continues while the client makes progress, within bounds like those of nginx (<c>lingering_time</c>,
/// <c>lingering_timeout</c>). No buffer is held while nothing arrives, and stopping the proxy ends it at once.
/// </remarks>
internal static class Lingering
{
    /// <summary>How long the reading may last in all. Then the connection is closed.</summary>
    private static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(30);

    /// <summary>How long the client may send nothing. Then the connection is closed.</summary>
    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(5);

    /// <summary>How many bytes may be read: as many as a fast network carries in a few seconds, so that one client cannot keep a core busy.</summary>
    private const long MaxBytes = 4L * 1024 * 1024 * 1024;

    /// <summary>Shuts down the sending side, then reads until the client closes or a bound is reached. The caller then closes the connection.</summary>
    public static async ValueTask RunAsync(ClientConnection connection)
    {
        Connection client = connection.Client;
        Interrupts interrupts = connection.Interrupts;
        Heartbeat heartbeat = connection.Parts.Heartbeat;
        client.ShutdownOutput();
        client.IsBulk = true; // the event loop serves other connections first
        long end = heartbeat.Now + (long)MaxDuration.TotalMilliseconds;
        long left = MaxBytes;
        while (left > 0 && heartbeat.Now < end && !interrupts.IsDraining && interrupts.CutReason is not FaultReason.Stopped)
        {
            interrupts.Await(Wait.Linger, TimeSpan.FromMilliseconds(Math.Min(MaxSilence.TotalMilliseconds, end - heartbeat.Now)));
            ReadResult read = await client.Input.ReadAsync().ConfigureAwait(false);
            left -= read.Buffer.Length;
            client.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        interrupts.StopWaiting();
    }
}
