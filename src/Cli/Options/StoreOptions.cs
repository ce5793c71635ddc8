using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags that say where credentials are kept, shared by all verbs that use the store.</summary>
internal abstract class StoreOptions : CommonOptions
{
    [Option("remote-auth-store", MetaValue = "FILE",
        HelpText = "File or folder to keep tokens, registrations and secrets in, encrypted; none: keep them in memory. "
            + "Unless given: the user's data folder.")]
    public string? RemoteAuthStore { get; set; }
}
