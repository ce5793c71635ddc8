using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>Connections in memory to a proxy of this process.</summary>
internal static class MemoryConnection
{
    /// <summary>Most bytes that lie between the two ends, each way.</summary>
    private const int PauseBytes = 64 * 1024;

    private static readonly PipeOptions Piping = new(pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false);

    /// <summary>Connects.</summary>
    /// <param name="serve">Serves the other end and completes it, whatever happens on it; the proxy's.</param>
    /// <returns>This end. Its disposal ends the connection.</returns>
    public static PipeStream Open(Func<IDuplexPipe, Task> serve)
    {
        var toProxy = new Pipe(Piping);
        var fromProxy = new Pipe(Piping);
        var end = new CutMark(fromProxy.Writer);
        _ = serve(new Ends(toProxy.Reader, end)); // completes both
        return new PipeStream(fromProxy.Reader, toProxy.Writer, end);
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
