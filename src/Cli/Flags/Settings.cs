using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Tunnels;

namespace McpProxyFast.Cli.Flags;

/// <summary>The settings from the command line, the environment and the config file, merged.</summary>
internal sealed class Settings
{
    /// <summary>The environment variables that scripts for <c>thv proxy</c> set, and the flag that each stands for.</summary>
    private static readonly (string Variable, string Flag)[] ToolHiveNames =
    [
        ("TOOLHIVE_OIDC_CLIENT_SECRET", "oidc-client-secret"),
        ("TOOLHIVE_REMOTE_OAUTH_CLIENT_SECRET", "remote-auth-client-secret"),
        ("TOOLHIVE_REMOTE_AUTH_BEARER_TOKEN", "remote-auth-bearer-token"),
        ("TOOLHIVE_TOKEN_EXCHANGE_CLIENT_SECRET", "token-exchange-client-secret"),
    ];

    /// <summary>Pairs of flags that exclude each other: one source may set only one of the two.</summary>
    private static readonly (string One, string Other)[] Exclusive =
    [
        ("remote-auth-issuer", "remote-auth-authorize-url"),
        ("remote-auth-issuer", "remote-auth-token-url"),
        ("remote-auth-bearer-token", "remote-auth-bearer-token-file"),
    ];

    /// <summary>
    /// Pairs of a secret and the file that may hold it. If one source sets both, the secret itself counts, as with <c>thv</c>, and the file is not read.
    /// </summary>
    private static readonly (string Secret, string File)[] Secrets =
    [
        ("remote-auth-client-secret", "remote-auth-client-secret-file"),
        ("token-exchange-client-secret", "token-exchange-client-secret-file"),
    ];

    private readonly Dictionary<string, Setting> _given = new(StringComparer.Ordinal);
    private readonly List<(string Secret, string File)> _filesNotRead = [];

    private Settings(FlagTable table, Arguments arguments)
    {
        Table = table;
        Positionals = arguments.Positionals;
    }

    /// <summary>The flags of the verb.</summary>
    public FlagTable Table { get; }

    /// <summary>The arguments that belong to no flag.</summary>
    public IReadOnlyList<string> Positionals { get; private set; }

    /// <summary>The settings by flag name.</summary>
    public IReadOnlyDictionary<string, Setting> Given => _given;

    /// <summary>The pairs of a secret and its file that were both given and of which the secret counts, so that the file is not read.</summary>
    public IReadOnlyList<(string Secret, string File)> FilesNotRead => _filesNotRead;

    /// <summary>Reads and merges the sources: command line, environment, config file, ToolHive's environment variables.</summary>
    /// <exception cref="UsageException">A flag is unknown, has no value, has an empty value although it needs one, or is excluded by another.</exception>
    public static Settings Read(IReadOnlyList<string> args, FlagTable table, Func<string, string?> environment)
    {
        Arguments arguments = Arguments.Read(args, table);
        var settings = new Settings(table, arguments);
        settings.Add(arguments.Values.ToDictionary(given => given.Key, given => new Setting(SettingSource.CommandLine, $"--{given.Key}", given.Value)));
        settings.Add(FromEnvironment(table, environment));
        if (settings.Given.TryGetValue("config", out Setting? config) && !config.IsEmpty)
        {
            settings.AddFile(ConfigFile.Read(config.Values[^1], table));
        }

        settings.Add(FromToolHive(table, environment));
        settings.RefuseEmpty();
        settings.SettleExclusive();
        settings.SettleSecrets();
        settings.NoteSecrets();
        return settings;
    }

    /// <summary>Whether the flag was set to a value that differs from its default.</summary>
    public bool Changes(Flag flag) => Given.TryGetValue(flag.Name, out Setting? setting)
        && string.Join(',', setting.Values) != (flag.Kind is FlagKind.Bool ? "false" : flag.Default ?? "");

    /// <summary>Returns the settings as arguments, written so that CommandLineParser cannot misread them.</summary>
    public IEnumerable<string> ToArguments()
    {
        IEnumerable<string> flags = Table.All
            .Where(flag => _given.ContainsKey(flag.Name))
            .Where(flag => !_given[flag.Name].IsEmpty)
            .SelectMany(flag => _given[flag.Name].Values.SelectMany(value => Argument(flag, value)));
        return [.. Positionals, .. flags];
    }

    /// <summary>Returns the flags whose secrets were given on the command line, where other users of the machine can read them.</summary>
    public IEnumerable<string> SecretsOnCommandLine() => Table.All
        .Where(flag => _given.TryGetValue(flag.Name, out Setting? setting) && setting.Source == SettingSource.CommandLine && IsSecret(flag, setting))
        .Select(flag => flag.Name);

    private void NoteSecrets()
    {
        IEnumerable<Flag> given = Table.All.Where(flag => flag.Unit == Flag.SecretUnit && _given.ContainsKey(flag.Name));
        foreach (string secret in given.SelectMany(flag => _given[flag.Name].Values))
        {
            HeldSecrets.Note(secret);
        }
    }

    private static bool IsSecret(Flag flag, Setting setting) =>
        flag.Unit == Flag.SecretUnit
        || (flag.Unit == Flag.FieldLineUnit && setting.Values.Any(ForwardFlags.LooksSecret))
        || (flag.Unit == Flag.JsonUnit && ProviderArguments.HoldSecret(setting.Values[^1]));

    private static string[] Argument(Flag flag, string value)
    {
        if (flag.Kind != FlagKind.Bool)
        {
            // The library cannot read a value after an equals sign if it begins with a space or has a line break in it.
            return value.StartsWith(' ') || value.Contains('\n', StringComparison.Ordinal) ? [$"--{flag.Name}", value] : [$"--{flag.Name}={value}"];
        }

        if (!bool.TryParse(value, out bool on))
        {
            throw new UsageException($"--{flag.Name} must be true or false, not '{value}'");
        }

        return on ? [$"--{flag.Name}"] : [];
    }

    private static Dictionary<string, Setting> FromEnvironment(FlagTable table, Func<string, string?> environment) =>
        table.All
            .Select(flag => (flag, text: environment(flag.EnvironmentName)))
            .Where(pair => pair.text is not null)
            .ToDictionary(
                pair => pair.flag.Name,
                pair => new Setting(SettingSource.Environment, pair.flag.EnvironmentName, Lines(pair.flag, pair.text!)));

    /// <summary>
    /// Splits the text of an environment variable. A variable holds one string, so the values of an array, which commas do not split, are on separate lines.
    /// </summary>
    private static List<string> Lines(Flag flag, string text) =>
        flag.Kind == FlagKind.Array
            ? [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)]
            : [text];

    /// <summary>Reads the variables of <c>thv proxy</c>. One whose flag this verb does not have is ignored.</summary>
    private static Dictionary<string, Setting> FromToolHive(FlagTable table, Func<string, string?> environment) =>
        ToolHiveNames
            .Where(name => table.All.Any(flag => flag.Name == name.Flag) && environment(name.Variable) is not null)
            .ToDictionary(name => name.Flag, name => new Setting(SettingSource.ToolHiveEnvironment, name.Variable, [environment(name.Variable)!]));

    private void Add(IReadOnlyDictionary<string, Setting> settings)
    {
        foreach ((string name, Setting setting) in settings)
        {
            _given.TryAdd(name, setting);
        }
    }

    /// <summary>Refuses empty values. An empty value does not count as "not given": it usually comes from a shell variable that was never set.</summary>
    private void RefuseEmpty()
    {
        if (Table.PositionalKeys.Zip(Positionals).FirstOrDefault(pair => string.IsNullOrWhiteSpace(pair.Second)) is { First: { } key })
        {
            throw new UsageException($"the argument {key.ToUpperInvariant().Replace('-', '_')} is given and empty; give it a value");
        }

        foreach (Flag flag in Table.All)
        {
            if (_given.TryGetValue(flag.Name, out Setting? setting)
                && ((setting.IsEmpty && !flag.MayBeEmpty) || (setting.HasEmpty && flag.Kind is FlagKind.Array)))
            {
                string also = setting.Source is SettingSource.CommandLine ? "" : $" for --{flag.Name}";
                string value = flag.Kind is FlagKind.Bool ? "true or false" : flag.Unit;
                throw new UsageException($"{setting.Origin} is given and empty{also}; give {value}, or leave it out");
            }
        }
    }

    /// <summary>
    /// Adds the settings of the config file. It may also have the arguments that belong to no flag; the command line then needs only those that the file lacks.
    /// </summary>
    private void AddFile(Dictionary<string, Setting> settings)
    {
        string?[] named = [.. Table.PositionalKeys.Select(key => settings.Remove(key, out Setting? setting) ? setting.Values[0] : null)];
        if (Positionals.Count == named.Count(name => name is null))
        {
            var given = new Queue<string>(Positionals);
            Positionals = [.. named.Select(name => name ?? given.Dequeue())];
        }
        else if (Positionals.Count == 0)
        {
            Positionals = [.. named.TakeWhile(name => name is not null).OfType<string>()];
        }

        Add(settings);
    }

    /// <summary>
    /// Refuses two flags that exclude each other if the same source has set both. If two sources have set them, the first source of <see cref="SettingSource"/>
    /// wins.
    /// </summary>
    private void SettleExclusive()
    {
        foreach ((string one, string other) in Exclusive)
        {
            if (!_given.TryGetValue(one, out Setting? first) || !_given.TryGetValue(other, out Setting? second))
            {
                continue;
            }

            if (first.Source == second.Source)
            {
                throw new UsageException($"--{one} and --{other} exclude each other; give one of them");
            }

            _given.Remove(first.Source < second.Source ? other : one);
        }
    }

    /// <summary>
    /// Decides between a secret and its file: the first source of <see cref="SettingSource"/> wins. If the same source has set both, the secret itself wins.
    /// </summary>
    private void SettleSecrets()
    {
        foreach ((string secret, string file) in Secrets)
        {
            if (!_given.TryGetValue(secret, out Setting? first) || !_given.TryGetValue(file, out Setting? second))
            {
                continue;
            }

            if (first.Source > second.Source)
            {
                _given.Remove(secret);
                continue;
            }

            _given.Remove(file);
            _filesNotRead.Add((secret, file));
        }
    }
}
