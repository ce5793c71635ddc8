using System.Buffers;

namespace McpProxyFast.Cli.Flags;

/// <summary>A parsed command line: the values by flag, and the arguments that belong to no flag.</summary>
/// <remarks>
/// CommandLineParser alone would let a repeatable flag take the server name after it as another value, and would refuse <c>--flag=false</c>. So this class
/// parses the arguments, and the library only fills the option objects.
/// </remarks>
internal sealed class Arguments
{
    private static readonly SearchValues<char> OfFlags = SearchValues.Create("-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);
    private readonly List<string> _positionals = [];

    /// <summary>The given values by flag name, in order.</summary>
    public IReadOnlyDictionary<string, List<string>> Values => _values;

    /// <summary>The arguments that belong to no flag.</summary>
    public IReadOnlyList<string> Positionals => _positionals;

    /// <summary>Parses <paramref name="args"/>, which must not contain the verb.</summary>
    /// <exception cref="UsageException">A flag is unknown or has no value.</exception>
    public static Arguments Read(IReadOnlyList<string> args, FlagTable table)
    {
        var read = new Arguments();
        for (int i = 0; i < args.Count; i++)
        {
            if (!args[i].StartsWith('-'))
            {
                read._positionals.Add(args[i]);
            }
            else
            {
                i = read.TakeFlag(args, i, table);
            }
        }

        return read;
    }

    /// <summary>Reads the flag at <paramref name="index"/>.</summary>
    /// <returns>The index of the last argument that belongs to the flag.</returns>
    private int TakeFlag(IReadOnlyList<string> args, int index, FlagTable table)
    {
        string arg = args[index];
        string written = Written(arg);
        if (!arg.StartsWith("--", StringComparison.Ordinal))
        {
            throw new UsageException($"unknown flag {written}; {ForeignFlags.HintFor(written, table) ?? "flags are written --like-this"}");
        }

        Flag flag = table.Find(written[2..]);
        if (written.Length < arg.Length)
        {
            Add(flag, arg[written.Length] == '='
                ? arg[(written.Length + 1)..]
                : throw new UsageException($"{written} and its value are one argument; write them as two, or as {written}=VALUE"));
            return index;
        }

        if (flag.Kind == FlagKind.Bool)
        {
            Add(flag, "true");
            return index;
        }

        if (index + 1 >= args.Count || args[index + 1].StartsWith("--", StringComparison.Ordinal))
        {
            throw new UsageException($"--{flag.Name} needs a value: {flag.Unit}");
        }

        Add(flag, args[index + 1]);
        return index + 1;
    }

    /// <summary>Returns the flag without the value that is joined to it (<c>=VALUE</c>). The value may be a secret, which no message may repeat.</summary>
    private static string Written(string arg)
    {
        int end = arg.AsSpan().IndexOfAnyExcept(OfFlags);
        return end < 0 ? arg : arg[..end];
    }

    private void Add(Flag flag, string value)
    {
        if (!flag.IsRepeatable || !_values.TryGetValue(flag.Name, out List<string>? values))
        {
            _values[flag.Name] = values = [];
        }

        values.Add(value);
    }
}
