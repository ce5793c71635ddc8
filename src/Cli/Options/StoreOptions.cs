using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>Where credentials are kept: shared by every verb that uses the store.</summary>
internal abstract class StoreOptions : CommonOptions
{
    [Option("remote-auth-store", MetaValue = "FILE",
        HelpText = "Where tokens and registrations are kept, encrypted: a file, or a folder in which one is made; "
            + "none keeps them in memory. Unless given: the user's data folder.")]
    public string? RemoteAuthStore { get; set; }
}
