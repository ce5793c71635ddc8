using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>status</c>.</summary>
[Verb("status", HelpText = "Lists the stored credentials, one line each, without the secrets.")]
internal sealed class StatusOptions : StoreOptions;
