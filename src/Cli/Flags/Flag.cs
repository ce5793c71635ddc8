namespace McpProxyFast.Cli.Flags;

/// <summary>One flag, as its option property declares it.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Unit">What a value is: ADDRESS, DURATION, SIZE, SECRET and so on.</param>
/// <param name="Kind">How many values it takes.</param>
/// <param name="Default">The default as it would be written, or null.</param>
/// <param name="Required">Whether the command refuses to start without it.</param>
/// <param name="Help">One or two sentences.</param>
/// <param name="IsHidden">It is known only to be refused with a better sentence than "unknown".</param>
internal sealed record Flag(string Name, string Unit, FlagKind Kind, string? Default, bool Required, string Help, bool IsHidden = false)
{
    /// <summary>The unit of values that are never printed.</summary>
    public const string SecretUnit = "SECRET";

    /// <summary>The unit of field lines, whose values are never printed.</summary>
    public const string FieldLineUnit = "NAME=VALUE";

    /// <summary>The unit of addresses, whose query is never printed.</summary>
    public const string UrlUnit = "URL";

    /// <summary>The unit of a provider's arguments, of which some are never printed.</summary>
    public const string JsonUnit = "JSON";

    /// <summary>The environment variable that is read if the flag is not given.</summary>
    public string EnvironmentName => "MCPPROXYFAST_" + Name.ToUpperInvariant().Replace('-', '_');

    /// <summary>Whether a value may be given more than once.</summary>
    public bool IsRepeatable => Kind is FlagKind.List or FlagKind.Array;

    /// <summary>
    /// Whether it can be given and empty: a list that has a default, of which nothing is wanted. Any other one says nothing when it is empty, and who passes
    /// <c>"$UNSET"</c> means to say something: to keep others out, to hide tools, to send a field.
    /// </summary>
    public bool MayBeEmpty => IsRepeatable && Default is not null;
}
