using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>logout</c>.</summary>
[Verb("logout", HelpText = "Deletes a stored credential and revokes it if the server offers that; give the same flags as when it was obtained.")]
internal sealed class LogoutOptions : SignInOptions;
