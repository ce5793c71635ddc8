namespace McpProxyFast.Cli;

/// <summary>What the process tells its caller when it ends.</summary>
internal static class ExitCode
{
    /// <summary>Stopped as asked.</summary>
    public const int Stopped = 0;

    /// <summary>Failed at run time: a busy port, a target that vanished from the name service.</summary>
    public const int Failed = 1;

    /// <summary>Wrong use: nothing has been started.</summary>
    public const int WrongUse = 2;
}
