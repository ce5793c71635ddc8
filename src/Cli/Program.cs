using McpProxyFast.Cli;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Tunnels;
using McpProxyFast.Cli.Verbs;

// The runtime reads this variable when it creates the first socket. With it, the code after a socket operation runs on the thread that got the event, which
// saves two thread switches for each read.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
Prerequisites.DoWithoutHome();

if (args is [AgentLauncher.Verb, ..])
{
    return AgentLauncher.Run(args);
}

Verb[] verbs =
[
    Verb.Of<ProxyOptions>(ProxyVerb.RunAsync),
    Verb.Of<StdioOptions>(StdioVerb.RunAsync),
    Verb.Of<TunnelOptions>(TunnelVerb.RunAsync),
    Verb.Of<LoginOptions>(LoginVerb.RunAsync),
    Verb.Of<LogoutOptions>(LogoutVerb.RunAsync),
    Verb.Of<StatusOptions>(StatusVerb.RunAsync),
    Verb.Of<SecretOptions>(SecretVerb.RunAsync),
    Verb.Of<DemoOptions>(DemoVerb.RunAsync),
];
try
{
    return await RunAsync();
}
catch (UsageException e)
{
    Standard.Errors.Write($"mcpproxyfast: {e.Message}");
    return ExitCode.WrongUse;
}
catch (FailedException e)
{
    Standard.Errors.Write($"mcpproxyfast: {OptionNames.ToFlags(e.Message)}");
    return ExitCode.Failed;
}
catch (Exception e)
{
    // The stack trace is logged, and the exit code says that the command failed.
    Standard.Errors.Write($"mcpproxyfast: internal error. This is a bug: please report it with the lines below.\n{e}");
    return ExitCode.Failed;
}
finally
{
    Standard.Flush();
}

Task<int> RunAsync()
{
    if (args.Contains("--version"))
    {
        return Print(ProgramVersion.Line);
    }

    if (args is ["--help" or "-h" or "help" or "--help=all", ..])
    {
        return Print(Help(all: args.Contains("all") || args[0] == "--help=all"));
    }

    args = WithoutProxy(args);
    return FindVerb(args).RunAsync(args[1..]);
}

// Returns the help page of the verb that follows "help", or else that of the command.
string Help(bool all)
{
    string[] named = WithoutProxy([.. args.Skip(1).Where(word => word is not ("all" or "help") && !word.StartsWith('-'))]);
    if (named is not [])
    {
        return FindVerb(named).HelpOf(all);
    }

    string page = new HelpPage(TextWrap.Width).OfCommand(verbs.Select(verb => (verb.Name, verb.Help)));
    return all ? string.Join("\n\n\n", verbs.Select(verb => verb.HelpOf(all: true)).Prepend(page)) : page;
}

// Users of `thv` write `proxy stdio` and `proxy tunnel`, so the word `proxy` is dropped.
static string[] WithoutProxy(string[] words) => words is ["proxy", "stdio" or "tunnel", ..] ? words[1..] : words;

Verb FindVerb(string[] words)
{
    string names = string.Join(", ", verbs.Select(verb => verb.Name));
    if (words is [] || words[0].StartsWith('-'))
    {
        throw new UsageException($"the command line must begin with a verb: {names}; --help explains them");
    }

    NotBuilt.RefuseVerb(words[0]);
    string meant = Nearest.Of(words[0], verbs.Select(verb => verb.Name)) is { } nearest ? $"did you mean {nearest}? " : "";
    return Array.Find(verbs, verb => verb.Name == words[0]) ?? throw new UsageException($"unknown verb '{words[0]}'; {meant}The verbs are: {names}");
}

static Task<int> Print(string text)
{
    Standard.Print(text);
    return Task.FromResult(ExitCode.Stopped);
}
