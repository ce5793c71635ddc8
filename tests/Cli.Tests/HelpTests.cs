using System.Text.RegularExpressions;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

public sealed partial class HelpTests
{
    /// <summary>The contract of the verb as far as this version has it: first the flags of <c>thv proxy</c>, then those beyond it.</summary>
    private static readonly string[] ProxyFlags =
    [
        "host", "port", "target-uri", "allowed-origins", "oidc-issuer", "oidc-audience", "oidc-jwks-url", "oidc-introspection-url", "oidc-client-id",
        "oidc-client-secret", "oidc-scopes", "resource-url", "remote-auth", "remote-auth-issuer", "remote-auth-authorize-url", "remote-auth-token-url",
        "remote-auth-client-id", "remote-auth-client-secret", "remote-auth-client-secret-file", "remote-auth-scopes", "remote-auth-scope-param-name",
        "remote-auth-resource", "remote-auth-callback-port", "remote-auth-skip-browser", "remote-auth-timeout", "remote-auth-bearer-token",
        "remote-auth-bearer-token-file", "token-exchange-url", "token-exchange-client-id", "token-exchange-client-secret",
        "token-exchange-client-secret-file", "token-exchange-audience", "token-exchange-scopes", "token-exchange-subject-token-type",
        "token-exchange-header-name", "remote-forward-headers", "remote-forward-headers-secret", "debug",
        "max-body-size", "header-timeout", "idle-timeout", "connect-timeout", "upstream-idle-timeout",
        "upstream-post-idle-timeout", "response-timeout", "drain-timeout", "max-connections", "x-forwarded",
        "pass-authorization", "allowed-hosts", "cors-origins", "oidc-required-scopes", "oidc-allowed-clients", "oidc-clock-skew", "remote-auth-grant",
        "remote-auth-client-key-file",
        "remote-auth-client-metadata-url", "remote-auth-assertion-file", "remote-auth-idp-token-url", "remote-auth-idp-client-id",
        "remote-auth-id-token-file", "remote-auth-dpop", "remote-auth-client-auth", "remote-auth-store", "ca-file", "allow-unprotected", "check", "config",
        "token-exchange-variant", "token-exchange-resource", "token-exchange-requested-token-type", "token-exchange-subject", "token-exchange-actor",
        "token-exchange-actor-token-file", "token-exchange-actor-token-type", "token-exchange-grant-type", "token-exchange-param",
        "token-exchange-client-auth", "token-exchange-client-key-file",
    ];

    /// <summary>The contract of the bridge as far as this version has it, beside what it shares with the proxy.</summary>
    private static readonly string[] StdioFlags =
    [
        "target-uri", "transport", "protocol", "reconnect-timeout", "ignore-tool", "log-file", "connect-timeout", "response-timeout", "drain-timeout",
        "upstream-idle-timeout", "upstream-post-idle-timeout", "config", "check", "debug", "ca-file", "remote-auth", "remote-auth-store",
    ];

    private static readonly string[] VerbNames = ["proxy", "stdio", "tunnel", "login", "logout", "status", "secret", "demo"];

    public static TheoryData<string> Verbs => [.. VerbNames];

    [Fact]
    public async Task WholeHelpOfStdioListsItsFlags()
    {
        Outcome outcome = await HelpAsync("stdio", "all");

        Assert.All(StdioFlags, flag => ExpectFlag(flag, outcome));
    }

    [Fact]
    public async Task WholeHelpOfProxyListsEveryFlagWithItsEnvironmentName()
    {
        Outcome outcome = await HelpAsync("proxy", "all");

        Assert.Equal(0, outcome.ExitCode);
        Assert.All(ProxyFlags, flag =>
        {
            ExpectFlag(flag, outcome);
            Assert.Contains($"MCPPROXYFAST_{flag.ToUpperInvariant().Replace('-', '_')}]", outcome.Output, StringComparison.Ordinal);
        });
        Assert.Equal(ProxyFlags.Length, Shown().Count(outcome.Output));
    }

    [Fact]
    public async Task HelpOfTunnelHasTheFlagsOfTheProxyButForTheTarget()
    {
        Outcome outcome = await HelpAsync("tunnel", "all");

        Assert.StartsWith("Usage: mcpproxyfast tunnel [flags] TARGET SERVER_NAME\n", outcome.Output, StringComparison.Ordinal);
        Assert.All(
            ProxyFlags.Where(flag => flag != "target-uri").Concat(["tunnel-provider", "provider-args"]),
            flag => ExpectFlag(flag, outcome));
        Assert.Equal(ProxyFlags.Length + 1, Shown().Count(outcome.Output));
    }

    [Fact]
    public async Task HelpOfAFlagNamesItsUnitAndDefault()
    {
        Outcome outcome = await HelpAsync("proxy", "all");

        Assert.Matches("(?m)^  --idle-timeout DURATION\n .*\n .*default: 120s", outcome.Output);
    }

    [Theory]
    [InlineData("remote-auth-issuer")]
    [InlineData("remote-auth-authorize-url")]
    [InlineData("remote-auth-token-url")]
    public void HelpOfWhatIsUsuallyDiscoveredSaysWhenItIsNeeded(string flag) =>
        Assert.Contains("Needed only if", FlagTable.Of(typeof(ProxyOptions)).Find(flag).Help, StringComparison.Ordinal);

    [Fact]
    public async Task ShortHelpHasTheFlagsThatMostPeopleNeedAndNamesTheWayToTheOthers()
    {
        Outcome outcome = await HelpAsync("proxy");

        Assert.Equal(0, outcome.ExitCode);
        Assert.All(["target-uri", "port", "oidc-issuer", "remote-auth", "config", "check"], flag => ExpectFlag(flag, outcome));
        Assert.InRange(outcome.Output.Count('\n'), 20, 90);
        Assert.Contains($"{ProxyFlags.Length - Shown().Count(outcome.Output)} more flags: mcpproxyfast proxy --help all", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [MemberData(nameof(Verbs))]
    public async Task HelpIsAsWideAsTheTerminalAndBreaksBetweenWords(string verb)
    {
        foreach (int columns in (int[])[80, 120])
        {
            foreach (string[] asked in (string[][])[["--help"], ["--help", "all"]])
            {
                Outcome outcome = await Command.RunAsync([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. asked], Columns(columns));

                Assert.Equal(0, outcome.ExitCode);
                Assert.All(outcome.Output.Split('\n'), line => Assert.InRange(line.Length, 0, columns));
                Assert.Contains(outcome.Output.Split('\n'), line => line.Length > columns * 3 / 5);
            }
        }
    }

    [Fact]
    public async Task HelpIs80ColumnsWideWhereNobodySaysHowWideTheTerminalIs()
    {
        Outcome unknown = await Command.RunAsync(["proxy", "--help", "all"], new Dictionary<string, string> { ["COLUMNS"] = "" });
        Outcome usual = await HelpAsync("proxy", "all");

        Assert.Equal(usual.Output, unknown.Output);
    }

    [Theory]
    [InlineData(typeof(ProxyOptions))]
    [InlineData(typeof(TunnelOptions))]
    [InlineData(typeof(LoginOptions))]
    [InlineData(typeof(LogoutOptions))]
    [InlineData(typeof(StatusOptions))]
    [InlineData(typeof(SecretOptions))]
    [InlineData(typeof(DemoOptions))]
    [InlineData(typeof(StdioOptions))]
    public void EveryFlagBelongsToAGroup(Type options) =>
        Assert.All(FlagTable.Of(options).All, flag => Assert.NotEqual(HelpGroup.Rest, HelpGroup.Of(flag.Name)));

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task EveryGroupHasAnExampleThatTheCommandTakes(string verb)
    {
        Outcome help = await HelpAsync(verb);
        string[] examples = [.. Example().Matches(help.Output).Select(match => match.Groups[1].Value.Replace(" \\\n", " ", StringComparison.Ordinal))];

        Assert.NotEmpty(examples);
        Assert.Equal(Title().Count(help.Output), examples.Length);
        foreach (string example in examples)
        {
            Outcome outcome = await Command.RunAsync([.. example.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1), "--check"]);

            Assert.True(outcome.ExitCode == 0, $"{example}: {outcome.Errors}");
        }
    }

    [Fact]
    public async Task HelpOfTheCommandListsItsVerbs()
    {
        Outcome outcome = await Command.RunAsync(["--help"]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.All(VerbNames, verb => Assert.Contains($"  {verb} ", outcome.Output, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task HelpBeforeAVerbIsThePageOfTheVerb(string verb)
    {
        foreach (string[] how in (string[][])[[], ["all"]])
        {
            Outcome behind = await HelpAsync(verb, how);

            Assert.Equal(behind, await Command.RunAsync(["help", verb, .. how], Columns(80)));
            Assert.Equal(behind, await Command.RunAsync(["--help", verb, .. how], Columns(80)));
        }
    }

    [Theory]
    [InlineData("help proxy stdio", "stdio --help")]
    [InlineData("--help=all stdio", "stdio --help all")]
    [InlineData("-h stdio", "stdio --help")]
    [InlineData("--help --debug", "--help")]
    [InlineData("help help", "--help")]
    [InlineData("--help=all", "--help all")]
    public async Task HelpIsAskedForInManyWays(string commandLine, string same)
    {
        Outcome expected = await Command.RunAsync(same.Split(' '), Columns(80));

        Assert.Equal(0, expected.ExitCode);
        Assert.Equal(expected, await Command.RunAsync(commandLine.Split(' '), Columns(80)));
    }

    [Fact]
    public async Task VersionNamesTheCommit()
    {
        Outcome outcome = await Command.RunAsync(["proxy", "--version"]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.Matches(@"^mcpproxyfast \d+\.\d+\.\d+ \((commit [0-9a-f]{12}|unknown commit)\)\n$", outcome.Output);
    }

    [Theory]
    [InlineData("1.2.3+0123456789abcdef0123456789abcdef01234567", "mcpproxyfast 1.2.3 (commit 0123456789ab)")]
    [InlineData("1.2.3", "mcpproxyfast 1.2.3 (unknown commit)")]
    public void VersionSaysWhereTheBuildKnewNoCommit(string informational, string expected) => Assert.Equal(expected, ProgramVersion.Describe(informational));

    [GeneratedRegex("(?m)^  --[a-z]")]
    private static partial Regex Shown();

    [GeneratedRegex(@"(?m)^  Example: ((?:.* \\\n)*.*)$")]
    private static partial Regex Example();

    /// <summary>A line at the left edge with flags below it.</summary>
    [GeneratedRegex("(?m)^[A-Z].*\n  --")]
    private static partial Regex Title();

    private static Dictionary<string, string> Columns(int count) => new() { ["COLUMNS"] = $"{count}" };

    private static Task<Outcome> HelpAsync(string verb, params string[] how) => Command.RunAsync([verb, "--help", .. how], Columns(80));

    private static void ExpectFlag(string flag, Outcome help) => Assert.Matches($"(?m)^  --{flag}( |$)", help.Output);
}
