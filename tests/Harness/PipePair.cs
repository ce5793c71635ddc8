using System.IO.Pipelines;

namespace McpProxyFast.Harness;

/// <summary>One in-memory connection: the engine's end and the test's.</summary>
public sealed class PipePair
{
    /// <summary>Whoever completes an operation runs what waited for it.</summary>
    public static PipeOptions Inline { get; } = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);

    public PipePair(PipeOptions? options = null)
    {
        var toEngine = new Pipe(options ?? PipeOptions.Default);
        var fromEngine = new Pipe(options ?? PipeOptions.Default);
        EngineEnd = new End(toEngine.Reader, fromEngine.Writer);
        TestEnd = new End(fromEngine.Reader, toEngine.Writer);
    }

    public IDuplexPipe EngineEnd { get; }

    public IDuplexPipe TestEnd { get; }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
