namespace McpProxyFast.Cli.Flags;

/// <summary>How many values a flag takes and how they are written.</summary>
internal enum FlagKind
{
    /// <summary>A switch: <c>--flag</c> means true. Only <c>--flag=false</c> gives it a value.</summary>
    Bool,

    /// <summary>The flag has exactly one value. If it is given twice, the last value counts.</summary>
    One,

    /// <summary>The flag is repeatable, and each value is split at commas.</summary>
    List,

    /// <summary>The flag is repeatable, and a value is never split.</summary>
    Array,
}
