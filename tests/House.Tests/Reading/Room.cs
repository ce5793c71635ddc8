namespace McpProxyFast.House.Tests.Reading;

/// <summary>A room of the engine is a namespace below <c>McpProxyFast</c>. A sub-folder is a room of its own (<c>Transport.Epoll</c>).</summary>
internal static class Room
{
    /// <summary>The room of the namespace <c>McpProxyFast</c> itself.</summary>
    public const string Root = "root";

    private const string Top = "McpProxyFast";

    /// <summary>The room of a namespace; a namespace from outside the engine is written in brackets, so that it can have no row.</summary>
    public static string Of(string space) => space == Top ? Root
        : space.StartsWith(Top + ".", StringComparison.Ordinal) ? space[(Top.Length + 1)..]
        : $"({space})";

    public static bool IsOfEngine(string space) => Of(space)[0] != '(';

    /// <summary>A room as a person may write it: in backticks, with a slash or a dot before the sub-folder.</summary>
    public static string Named(string written) => written.Trim(' ', '`').Replace('/', '.');
}
