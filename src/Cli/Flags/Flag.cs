namespace McpProxyFast.Cli.Flags;

/// <summary>One flag of the command line, as the property of an options class declares it.</summary>
/// <param name="Name">The flag's name without the dashes.</param>
/// <param name="Unit">What kind of value the flag takes: ADDRESS, DURATION, SIZE, SECRET and so on.</param>
/// <param name="Kind">How many values the flag takes.</param>
/// <param name="Default">The default as it would be written on the command line; null if there is none.</param>
/// <param name="Required">Whether the command refuses to start without it.</param>
/// <param name="Help">The text that the help shows: one or two sentences.</param>
/// <param name="IsHidden">Whether the flag is known only so that it can be refused with a better message than "unknown flag".</param>
internal sealed record Flag(string Name, string Unit, FlagKind Kind, string? Default, bool Required, string Help, bool IsHidden = false)
{
    /// <summary>The unit of values that are never printed.</summary>
    public const string SecretUnit = "SECRET";

    /// <summary>The unit of header fields, whose values are never printed.</summary>
    public const string FieldLineUnit = "NAME=VALUE";

    /// <summary>The unit of URLs, whose query is never printed.</summary>
    public const string UrlUnit = "URL";

    /// <summary>The unit of a tunnel provider's arguments. Secrets in them are never printed.</summary>
    public const string JsonUnit = "JSON";

    /// <summary>The environment variable that is read if the flag is not given.</summary>
    public string EnvironmentName => "MCPPROXYFAST_" + Name.ToUpperInvariant().Replace('-', '_');

    /// <summary>Whether the flag may be given more than once.</summary>
    public bool IsRepeatable => Kind is FlagKind.List or FlagKind.Array;

    /// <summary>
    /// Whether the flag may be given with an empty value. Only a list that has a default may: the empty value then replaces the default by an empty list. For
    /// another flag an empty value is usually a mistake, such as a shell variable that was never set, and to ignore it could leave the proxy unprotected.
    /// </summary>
    public bool MayBeEmpty => IsRepeatable && Default is not null;
}
