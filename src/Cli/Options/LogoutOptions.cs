using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>logout</c>.</summary>
[Verb("logout", HelpText = "Drops a stored credential and revokes it if the server offers that; give the flags that it was obtained with.")]
internal sealed class LogoutOptions : SignInOptions;
