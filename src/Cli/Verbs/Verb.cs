using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using CommandLine;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Verbs;

/// <summary>One verb of the command: its name, its flags, and the code that runs it.</summary>
internal sealed class Verb
{
    private readonly FlagTable _table;
    private readonly string _positionals;
    private readonly Func<Settings, Task<int>> _run;

    private Verb(VerbAttribute verb, FlagTable table, string positionals, Func<Settings, Task<int>> run)
    {
        Name = verb.Name;
        Help = verb.HelpText;
        _table = table;
        _positionals = positionals;
        _run = run;
    }

    public string Name { get; }

    public string Help { get; }

    /// <summary>Makes the verb that <typeparamref name="TOptions"/> declares.</summary>
    public static Verb Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] TOptions>(Func<TOptions, Settings, Task<int>> run)
        where TOptions : CommonOptions
    {
        IEnumerable<string> positionals = typeof(TOptions).GetProperties()
            .Select(property => property.GetCustomAttribute<ValueAttribute>())
            .OfType<ValueAttribute>()
            .OrderBy(value => value.Index)
            .Select(value => $" {value.MetaName}");
        return new Verb(
            typeof(TOptions).GetCustomAttribute<VerbAttribute>()!,
            FlagTable.Of(typeof(TOptions)),
            string.Concat(positionals),
            settings => run(OptionsBinder.Bind<TOptions>(settings), settings));
    }

    /// <summary>Runs the verb, or prints its help.</summary>
    /// <exception cref="UsageException">Wrong use; nothing has been started.</exception>
    public Task<int> RunAsync(IReadOnlyList<string> args)
    {
        if (args.Any(arg => arg is "--help" or "-h" or "--help=all"))
        {
            Standard.Print(HelpOf(all: args.Contains("all") || args.Contains("--help=all")));
            return Task.FromResult(ExitCode.Stopped);
        }

        Settings settings = Settings.Read(args, _table, Environment.GetEnvironmentVariable);
        NotBuilt.RefuseVerbBehind(Name, settings.Positionals.Count > 0 ? settings.Positionals[0] : null);
        NotBuilt.Refuse(settings);
        return _run(settings);
    }

    /// <summary>Returns the verb's page of help.</summary>
    /// <param name="all">Whether the page has all flags, or only those that most people need.</param>
    public string HelpOf(bool all) => new HelpPage(TextWrap.Width).OfVerb(Name, Help, _positionals, _table, all);
}
