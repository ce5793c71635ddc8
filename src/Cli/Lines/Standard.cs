namespace McpProxyFast.Cli.Lines;

/// <summary>The process's stdout and stderr. If one of them is full or broken, or nobody reads it, only <see cref="Print"/> waits or fails.</summary>
internal static class Standard
{
    /// <summary>How long the process waits at most, when it ends, for lines that have not been written.</summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    /// <summary>Writes lines to stdout.</summary>
    public static LineWriter Output { get; } = new(new StandardDestination(1), "stdout");

    /// <summary>Writes lines to stderr.</summary>
    public static LineWriter Errors { get; } = new(new StandardDestination(2), "stderr");

    /// <summary>Prints the result that the command was started for: help, a configuration, a list. If that cannot be written, the command fails.</summary>
    /// <exception cref="FailedException">stdout cannot be written to.</exception>
    public static void Print(string text)
    {
        try
        {
            Console.Out.WriteLine(text);
        }
        catch (IOException e)
        {
            throw new FailedException($"stdout cannot be written to: {e.Message}");
        }
    }

    /// <summary>Waits, for a limited time, until all lines have been written. Called last before the process ends.</summary>
    public static void Flush()
    {
        Output.Flush(FlushLimit);
        Errors.Flush(FlushLimit);
    }
}
