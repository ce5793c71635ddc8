namespace McpProxyFast.Cli.Flags;

/// <summary>The values that one flag ended up with, and where they came from. No value at all is an empty list, which is not the same as no setting.</summary>
/// <param name="Source">The kind of place.</param>
/// <param name="Origin">The place as a user knows it: the flag, the variable, or the line of the file.</param>
/// <param name="Values">In their order.</param>
internal sealed record Setting(SettingSource Source, string Origin, IReadOnlyList<string> Values)
{
    /// <summary>Whether something was given, but nothing in it: <c>--flag ""</c>, <c>FLAG=</c>, <c>"flag": []</c>.</summary>
    public bool IsEmpty => Values.All(string.IsNullOrWhiteSpace);

    /// <summary>Whether one of the values has nothing in it.</summary>
    public bool HasEmpty => Values.Any(string.IsNullOrWhiteSpace);
}
