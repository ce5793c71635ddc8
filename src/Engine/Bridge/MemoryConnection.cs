using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>Makes in-memory connections to a proxy in the same process.</summary>
internal static class MemoryConnection
{
    /// <summary>The number of unread bytes in one direction at which the writer must wait.</summary>
    private const int PauseBytes = 64 * 1024;

    /// <summary>Opens a connection.</summary>
    /// <param name="serve">The proxy's method that serves the other end. It always completes that end, also after an error.</param>
    /// <param name="takesAtOnce">
    /// True if the code that reads from the client's end never blocks. Then the thread that writes a few bytes of an answer also runs that code.
    /// </param>
    /// <returns>The client's end of the connection. Its disposal ends the connection.</returns>
    public static PipeStream Open(Func<IDuplexPipe, Task> serve, bool takesAtOnce)
    {
        var toProxy = new Pipe(Piping(PipeScheduler.Inline)); // the thread that sends a request runs the proxy's code for it, which never blocks
        var answers = new AnswerScheduler(takesAtOnce ? AnswerScheduler.MaxInlineBytes : 0);
        var fromProxy = new Pipe(Piping(answers));
        var end = new CutMark(fromProxy.Writer, answers);
        _ = serve(new Ends(toProxy.Reader, end)); // completes both directions when the connection ends
        return new PipeStream(fromProxy.Reader, toProxy.Writer, end);
    }

    private static PipeOptions Piping(PipeScheduler reader) => new(
        readerScheduler: reader, pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false);

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
