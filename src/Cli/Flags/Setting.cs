namespace McpProxyFast.Cli.Flags;

/// <summary>The values that were set for one flag, and where they came from. The list of values may be empty: a config file can give an empty array.</summary>
/// <param name="Source">The kind of source: command line, environment or config file.</param>
/// <param name="Origin">The source as it is named in messages: the flag, the variable, or the file and line.</param>
/// <param name="Values">The values, in the order in which they were given.</param>
internal sealed record Setting(SettingSource Source, string Origin, IReadOnlyList<string> Values)
{
    /// <summary>Whether every given value is empty or white space: <c>--flag ""</c>, <c>FLAG=</c>, <c>"flag": []</c>.</summary>
    public bool IsEmpty => Values.All(string.IsNullOrWhiteSpace);

    /// <summary>Whether at least one of the values is empty or white space.</summary>
    public bool HasEmpty => Values.Any(string.IsNullOrWhiteSpace);
}
