using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using CommandLine;

namespace McpProxyFast.Cli.Flags;

/// <summary>The flags of one verb, read off its option type, which is their only definition.</summary>
internal sealed class FlagTable
{
    private readonly Dictionary<string, Flag> _byName;

    private FlagTable(List<Flag> flags)
    {
        All = flags;
        _byName = flags.ToDictionary(flag => flag.Name, StringComparer.Ordinal);
    }

    /// <summary>Every flag, in the order of declaration.</summary>
    public IReadOnlyList<Flag> All { get; }

    public static FlagTable Of([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] Type options) =>
        new([.. options.GetProperties()
            .Select(property => (property, option: property.GetCustomAttribute<OptionAttribute>()))
            .Where(pair => pair.option is not null)
            .Select(pair => Describe(pair.property, pair.option!))]);

    /// <summary>The flag of that name.</summary>
    /// <exception cref="UsageException">There is none; the message names the nearest.</exception>
    public Flag Find(string name) =>
        _byName.GetValueOrDefault(name) ?? throw new UsageException($"unknown flag --{name}{Suggestion(name)}");

    private static Flag Describe(PropertyInfo property, OptionAttribute option) => new(
        option.LongName,
        option.MetaValue ?? "",
        KindOf(property.PropertyType, option.Separator),
        DefaultText(option.Default),
        option.Required,
        option.HelpText ?? "");

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

    private string Suggestion(string name)
    {
        Flag? nearest = All.MinBy(flag => EditDistance(flag.Name, name));
        return nearest is not null && EditDistance(nearest.Name, name) <= 2 ? $"; did you mean --{nearest.Name}?" : "; --help lists all flags";
    }

    /// <summary>The Levenshtein distance.</summary>
    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
