using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>Connections in memory to a proxy of this process.</summary>
internal static class MemoryConnection
{
    /// <summary>Most bytes that lie between the two ends, each way.</summary>
    private const int PauseBytes = 64 * 1024;

    /// <summary>Connects.</summary>
    /// <param name="serve">Serves the other end and completes it, whatever happens on it; the proxy's.</param>
    /// <param name="takesAtOnce">What reads this end never blocks, so the thread that sends a few bytes of an answer may go on with them.</param>
    /// <returns>This end. Its disposal ends the connection.</returns>
    public static PipeStream Open(Func<IDuplexPipe, Task> serve, bool takesAtOnce)
    {
        var toProxy = new Pipe(Piping(PipeScheduler.Inline)); // who sends a request goes on as the proxy, which never blocks
        var answers = new AnswerScheduler(takesAtOnce ? AnswerScheduler.MaxInlineBytes : 0);
        var fromProxy = new Pipe(Piping(answers));
        var end = new CutMark(fromProxy.Writer, answers);
        _ = serve(new Ends(toProxy.Reader, end)); // completes both
        return new PipeStream(fromProxy.Reader, toProxy.Writer, end);
    }

    private static PipeOptions Piping(PipeScheduler reader) => new(
        readerScheduler: reader, pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false);

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
