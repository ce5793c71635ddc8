using System.Globalization;
using McpProxyFast.Cli.Lines;

namespace McpProxyFast.Cli.Verbs;

/// <summary>Runs a proxy until it has been told to stop and is drained. If the drain takes long, prints what the proxy waits for.</summary>
internal static class Running
{
    /// <summary>If the drain ends within this time, nothing is printed. Idle connections and short exchanges end that fast.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    /// <param name="proxy">The proxy; its listener is bound already.</param>
    /// <param name="drainTimeout">How long running exchanges may take to end.</param>
    /// <param name="stopping">Cancelled to start the drain.</param>
    public static async Task RunAsync(McpProxy proxy, TimeSpan drainTimeout, CancellationToken stopping)
    {
        Task running = proxy.RunAsync(stopping);
        await Task.WhenAny(running, Told(stopping));
        if (await Task.WhenAny(running, Task.Delay(Silence, CancellationToken.None)) != running && proxy.OpenConnections is var open and > 0)
        {
            string limit = string.Create(CultureInfo.InvariantCulture, $"{drainTimeout.TotalSeconds:0.###} s");
            string waits = open == 1
                ? $"1 connection is still in use and gets up to {limit} to finish"
                : $"{open} connections are still in use and get up to {limit} to finish";
            Standard.Errors.Write($"mcpproxyfast: stopping: {waits}; a second Ctrl-C or signal ends the process at once");
        }

        await running;
    }

    private static Task Told(CancellationToken stopping) => Task.Delay(Timeout.InfiniteTimeSpan, stopping);
}
