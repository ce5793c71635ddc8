using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using CommandLine;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Verbs;

namespace McpProxyFast.Cli.Flags;

/// <summary>Fills the options object of a verb with CommandLineParser, and turns the library's errors into one line each.</summary>
internal static class OptionsBinder
{
    /// <exception cref="UsageException">A required flag or argument is missing, a value is not a number, or there is an argument too many.</exception>
    public static TOptions Bind<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] TOptions>(Settings settings)
    {
        RefuseTooMany<TOptions>(settings.Positionals);
        using var parser = new Parser(with =>
        {
            with.AutoHelp = false;
            with.AutoVersion = false;
            with.AllowMultiInstance = true;
            with.HelpWriter = null;
            with.ParsingCulture = CultureInfo.InvariantCulture;
        });
        TOptions bound = parser.ParseArguments<TOptions>(settings.ToArguments()).MapResult(
            options => options,
            errors => throw Describe(errors.First(), settings));
        Empty(bound, settings);
        return bound;
    }

    /// <summary>Sets the lists that were given with an empty value. The library cannot express an empty list, and would use the default.</summary>
    private static void Empty<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] TOptions>(TOptions bound, Settings settings)
    {
        foreach (PropertyInfo property in typeof(TOptions).GetProperties())
        {
            if (property.GetCustomAttribute<OptionAttribute>() is { } option
                && property.PropertyType == typeof(IEnumerable<string>)
                && settings.Given.TryGetValue(option.LongName, out Setting? setting)
                && setting.IsEmpty)
            {
                property.SetValue(bound, Array.Empty<string>());
            }
        }
    }

    private static void RefuseTooMany<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] TOptions>(IReadOnlyList<string> positionals)
    {
        int taken = typeof(TOptions).GetProperties().Count(property => property.GetCustomAttribute<ValueAttribute>() is not null);
        if (positionals.Count > taken)
        {
            // With the verb secret, the surplus argument may be the secret itself, so it is not repeated.
            throw new UsageException(typeof(TOptions) == typeof(SecretOptions)
                ? $"nothing may follow NAME; {SecretVerb.FromStdin}"
                : $"unexpected argument '{positionals[taken]}'");
        }
    }

    private static UsageException Describe(Error error, Settings settings) => error switch
    {
        MissingRequiredOptionError missing when missing.NameInfo.LongName.Length == 0 =>
            settings.Positionals.Count == 0 && settings.Table.PositionalKeys is ["target", ..]
                ? new("TARGET is missing: give an http or https URL, and after it SERVER_NAME")
                : new("SERVER_NAME is missing: give the name of the MCP server"),
        MissingRequiredOptionError missing => new($"--{missing.NameInfo.LongName} is required: {settings.Table.Find(missing.NameInfo.LongName).Help}"),
        NamedError named => new($"--{named.NameInfo.LongName} cannot take this value: {settings.Table.Find(named.NameInfo.LongName).Help}"),
        _ => new($"the command line cannot be read ({error.Tag})"),
    };
}
