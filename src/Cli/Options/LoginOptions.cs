using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>login</c>.</summary>
[Verb("login", HelpText = "Signs in at a target now and stores the credential; give the same --remote-auth flags as to the proxy.")]
internal sealed class LoginOptions : SignInOptions;
