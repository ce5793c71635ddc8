using System.IO.Pipelines;
using Pipelines.Sockets.Unofficial;

namespace McpProxyFast.Cli.Lines;

/// <summary>stdin and stdout as the two ends of a pipe.</summary>
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
        // Reads and writes of these streams block a thread each, which must not be one of those that serve the connections.
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(workers + 2, completions);
        var reading = new PipeOptions(pauseWriterThreshold: ReadAhead, resumeWriterThreshold: ReadAhead / 2, useSynchronizationContext: false);

        // A flush ends when everything has been written: so what was flushed is out when the process ends, and an error is seen by the flush that it hits.
        var writing = new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false);
        return new StandardPipe(
            StreamConnection.GetReader(StandardDestination.IsInherited(0) ? Console.OpenStandardInput() : Stream.Null, reading, "stdin"),
            StreamConnection.GetWriter(new DestinationStream(new StandardDestination(1)), writing, "stdout"));
    }
}
