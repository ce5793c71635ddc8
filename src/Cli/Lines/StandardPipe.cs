using System.IO.Pipelines;
using Pipelines.Sockets.Unofficial;

namespace McpProxyFast.Cli.Lines;

/// <summary>stdin and stdout as the two ends of a pipe.</summary>
/// <remarks>
/// A flush of <see cref="Output"/> never blocks its thread, whatever stands behind stdout. What waits for <see cref="Input"/> runs on the thread that reads
/// stdin.
/// </remarks>
internal sealed record StandardPipe : IDuplexPipe
{
    /// <summary>Most bytes that are read ahead.</summary>
    private const int ReadAhead = 64 * 1024;

    private StandardPipe(PipeReader input, PipeWriter output) => (Input, Output) = (input, output);

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Takes both streams over; nothing else may use them from now on.</summary>
    public static StandardPipe Open()
    {
        // A write that has to wait blocks a thread of the pool, which must not be one of those that serve the connections.
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(workers + 1, completions);

        // The thread that has read a message goes on with it, up to where that waits, and the one that has an answer writes it: no other has to be woken.
        var reading = new PipeOptions(
            readerScheduler: PipeScheduler.Inline, pauseWriterThreshold: ReadAhead, resumeWriterThreshold: ReadAhead / 2, useSynchronizationContext: false);

        // A flush ends when everything has been written: so what was flushed is out when the process ends, and an error is seen by the flush that it hits.
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
