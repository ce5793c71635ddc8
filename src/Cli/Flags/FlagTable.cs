using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using CommandLine;

namespace McpProxyFast.Cli.Flags;

/// <summary>The flags of one verb, read from the properties of its options class. They are defined nowhere else.</summary>
internal sealed class FlagTable
{
    private readonly Dictionary<string, Flag> _byName;

    private FlagTable(List<Flag> flags, string[] positionals)
    {
        All = flags;
        PositionalKeys = positionals;
        _byName = flags.ToDictionary(flag => flag.Name, StringComparer.Ordinal);
    }

    /// <summary>All flags, in the order of declaration.</summary>
    public IReadOnlyList<Flag> All { get; }

    /// <summary>The flags that this version supports.</summary>
    public IEnumerable<Flag> Built => All.Where(flag => !flag.IsHidden && !NotBuilt.Contains(flag.Name));

    /// <summary>
    /// The config file's keys for the arguments that belong to no flag, such as <c>server-name</c>, in the order of the arguments. Empty if one of these
    /// arguments is optional.
    /// </summary>
    public IReadOnlyList<string> PositionalKeys { get; }

    public static FlagTable Of([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] Type options) =>
        new([.. options.GetProperties()
            .Select(property => (property, option: property.GetCustomAttribute<OptionAttribute>()))
            .Where(pair => pair.option is not null)
            .Select(pair => Describe(pair.property, pair.option!))],
            PositionalsOf(options));

    /// <summary>Returns the flag with this name.</summary>
    /// <exception cref="UsageException">There is no such flag. The message says what to write instead, or names the most similar flag.</exception>
    public Flag Find(string name) =>
        _byName.GetValueOrDefault(name) ?? throw new UsageException($"unknown flag --{name}; {Suggestion(name)}");

    private static string[] PositionalsOf([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] Type options)
    {
        ValueAttribute[] values = [.. options.GetProperties().Select(property => property.GetCustomAttribute<ValueAttribute>()).OfType<ValueAttribute>()];
        return Array.TrueForAll(values, value => value.Required)
            ? [.. values.OrderBy(value => value.Index).Select(value => value.MetaName.ToLowerInvariant().Replace('_', '-'))]
            : [];
    }

    private static Flag Describe(PropertyInfo property, OptionAttribute option) => new(
        option.LongName,
        option.MetaValue ?? "",
        KindOf(property.PropertyType, option.Separator),
        DefaultText(option.Default),
        option.Required,
        option.HelpText ?? "",
        option.Hidden);

    private static FlagKind KindOf(Type type, char separator)
    {
        if (type == typeof(bool))
        {
            return FlagKind.Bool;
        }

        bool isSequence = type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable));
        return !isSequence ? FlagKind.One : separator == ',' ? FlagKind.List : FlagKind.Array;
    }

    private static string? DefaultText(object? value) => value switch
    {
        null => null,
        string[] many => string.Join(',', many),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    private string Suggestion(string name) => ForeignFlags.HintFor($"--{name}", this)
        ?? (Nearest.Of(name, Built.Select(flag => flag.Name)) is { } nearest ? $"did you mean --{nearest}?" : "--help all lists all flags");
}
