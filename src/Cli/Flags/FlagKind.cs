namespace McpProxyFast.Cli.Flags;

/// <summary>How many values a flag takes and how they are written.</summary>
internal enum FlagKind
{
    /// <summary>Alone it means true; a value is given only as <c>--flag=false</c>.</summary>
    Bool,

    /// <summary>Exactly one value; given twice, the last one counts.</summary>
    One,

    /// <summary>Repeatable, and each value is split at commas.</summary>
    List,

    /// <summary>Repeatable, and a value is never split.</summary>
    Array,
}
