using System.IO.Pipelines;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>A connection in memory with two ends.</summary>
internal sealed class MemoryConnection
{
    /// <summary>Most unread bytes in one direction.</summary>
    private const int PauseBytes = 64 * 1024;

    private static readonly PipeOptions Piping = new(pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false);

    private readonly CutMark _end;

    public MemoryConnection()
    {
        var there = new Pipe(Piping);
        var back = new Pipe(Piping);
        Client = new End(back.Reader, there.Writer);
        _end = new CutMark(back.Writer);
        Server = new End(there.Reader, _end);
    }

    /// <summary>The end of the client.</summary>
    public IDuplexPipe Client { get; }

    /// <summary>The end of the proxy.</summary>
    public IDuplexPipe Server { get; }

    /// <summary>Whether the proxy ended abnormally. Valid once the client has read to the end.</summary>
    public bool IsCut => _end.IsCut;

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
