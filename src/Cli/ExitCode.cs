namespace McpProxyFast.Cli;

/// <summary>The exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>The command did its work, or was stopped as asked.</summary>
    public const int Stopped = 0;

    /// <summary>The command failed at run time, for example because the port is in use.</summary>
    public const int Failed = 1;

    /// <summary>The flags or arguments are wrong. Nothing has been started.</summary>
    public const int WrongUse = 2;
}
