using System.IO.Pipelines;
using Pipelines.Sockets.Unofficial;

namespace McpProxyFast.Cli.Lines;

/// <summary>A duplex pipe that reads from stdin and writes to stdout.</summary>
/// <remarks>
/// A flush of <see cref="Output"/> never blocks its thread, whatever stdout is connected to. Code that awaits <see cref="Input"/> continues on the thread that
/// reads stdin.
/// </remarks>
internal sealed record StandardPipe : IDuplexPipe
{
    /// <summary>The maximum number of bytes that are read before the bridge uses them. Then reading pauses until half of them have been used.</summary>
    private const int ReadAhead = 64 * 1024;

    private StandardPipe(PipeReader input, PipeWriter output) => (Input, Output) = (input, output);

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Opens the pipe. No other code may use stdin and stdout from now on.</summary>
    public static StandardPipe Open()
    {
        // A write to stdout that has to wait blocks a thread of the pool. One more thread replaces it, so that connections need not wait for one.
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(workers + 1, completions);

        // The thread that has read a message also handles it, and the thread that has an answer also writes it, so that no other thread has to be woken.
        var reading = new PipeOptions(
            readerScheduler: PipeScheduler.Inline, pauseWriterThreshold: ReadAhead, resumeWriterThreshold: ReadAhead / 2, useSynchronizationContext: false);

        // A flush ends only when everything has been written. So flushed bytes are not lost when the process ends, and the flush that fails gets the error.
        var writing = new PipeOptions(
            readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 1,
            resumeWriterThreshold: 1,
            useSynchronizationContext: false);
        Stream input = StandardDestination.IsInherited(0) ? Console.OpenStandardInput() : Stream.Null;
        return new StandardPipe(
            StreamConnection.GetReader(new SourceStream(input, "stdin"), reading, "stdin"),
            StreamConnection.GetWriter(new DestinationStream(new StandardDestination(1)), writing, "stdout"));
    }
}
