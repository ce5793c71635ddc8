namespace McpProxyFast.Cli.Lines;

/// <summary>The process's two streams of lines. What stands behind them, full, broken or read by nobody, can neither hold the process up nor end it.</summary>
internal static class Standard
{
    /// <summary>How long the end of the process waits for lines that have not been written.</summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    /// <summary>stdout.</summary>
    public static LineWriter Output { get; } = new(new StandardDestination(1), "stdout");

    /// <summary>stderr.</summary>
    public static LineWriter Errors { get; } = new(new StandardDestination(2), "stderr");

    /// <summary>Prints what the command was started for: help, a configuration, a list. To fail at that is to fail.</summary>
    /// <exception cref="FailedException">stdout takes nothing.</exception>
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

    /// <summary>Waits, for a bounded time, until what was said has been written: the last thing before the process ends.</summary>
    public static void Flush()
    {
        Output.Flush(FlushLimit);
        Errors.Flush(FlushLimit);
    }
}
