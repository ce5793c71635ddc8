using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags and arguments of the verb <c>secret</c>.</summary>
[Verb("secret", HelpText = "Keeps secrets in the store, for --remote-forward-headers-secret. set reads the value from stdin; list prints the names alone.")]
internal sealed class SecretOptions : StoreOptions
{
    [Value(0, MetaName = "set|list|delete", HelpText = "What to do.")]
    public string? Action { get; set; }

    [Value(1, MetaName = "NAME", HelpText = "The secret's name; not for list.")]
    public string? Name { get; set; }
}
