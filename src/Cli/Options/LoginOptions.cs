using CommandLine;

namespace McpProxyFast.Cli.Options;

/// <summary>The flags of the verb <c>login</c>.</summary>
[Verb("login", HelpText = "Signs in at a target now and stores the credential; give the --remote-auth flags that the proxy will have.")]
internal sealed class LoginOptions : SignInOptions;
