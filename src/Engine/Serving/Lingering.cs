using System.IO.Pipelines;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>What comes after an answer that a client was given before it had sent its whole request: the rest is read and forgotten.</summary>
/// <remarks>
/// To close with bytes unread resets the connection, and a reset takes the answer away from a client that has not read it yet (RFC 9112 §9.6). Many clients
/// read nothing before they have sent everything. So this goes on as long as the client makes progress, within bounds as nginx has them
/// (<c>lingering_time</c>, <c>lingering_timeout</c>). No buffer is held while nothing comes, and a stop of the proxy ends it at once.
/// </remarks>
internal static class Lingering
{
    /// <summary>How long in all.</summary>
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(30);

    /// <summary>How long the client may be silent.</summary>
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(5);

    /// <summary>How many bytes: some seconds of a fast network, so that one client cannot keep a core busy.</summary>
    private const long MostBytes = 4L * 1024 * 1024 * 1024;

    /// <summary>Says that the answer is over, and waits for the client's end or a bound. The connection is then to be closed.</summary>
    public static async ValueTask RunAsync(ClientConnection connection)
    {
        Connection client = connection.Client;
        Interrupts interrupts = connection.Interrupts;
        Heartbeat heartbeat = connection.Parts.Heartbeat;
        client.ShutdownOutput();
        client.IsBulk = true; // everybody else goes first
        long end = heartbeat.Now + (long)Most.TotalMilliseconds;
        long left = MostBytes;
        while (left > 0 && heartbeat.Now < end && !interrupts.IsDraining && interrupts.CutReason is not FaultReason.Stopped)
        {
            interrupts.Await(Wait.Linger, TimeSpan.FromMilliseconds(Math.Min(MostSilence.TotalMilliseconds, end - heartbeat.Now)));
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
