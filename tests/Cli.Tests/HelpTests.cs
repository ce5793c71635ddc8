using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

public sealed class HelpTests
{
    /// <summary>The contract of the verb: first the flags of <c>thv proxy</c>, then those beyond it.</summary>
    private static readonly string[] ProxyFlags =
    [
        "host", "port", "target-uri", "allowed-origins", "oidc-issuer", "oidc-audience", "oidc-jwks-url", "oidc-introspection-url", "oidc-client-id",
        "oidc-client-secret", "oidc-scopes", "resource-url", "remote-auth", "remote-auth-issuer", "remote-auth-authorize-url", "remote-auth-token-url",
        "remote-auth-client-id", "remote-auth-client-secret", "remote-auth-client-secret-file", "remote-auth-scopes", "remote-auth-scope-param-name",
        "remote-auth-resource", "remote-auth-callback-port", "remote-auth-skip-browser", "remote-auth-timeout", "remote-auth-bearer-token",
        "remote-auth-bearer-token-file", "remote-forward-headers", "remote-forward-headers-secret", "token-exchange-url", "token-exchange-client-id",
        "token-exchange-client-secret", "token-exchange-client-secret-file", "token-exchange-audience", "token-exchange-scopes",
        "token-exchange-subject-token-type", "token-exchange-header-name", "debug",
        "max-body-size", "header-timeout", "idle-timeout", "connect-timeout", "upstream-idle-timeout",
        "upstream-post-idle-timeout", "response-timeout", "drain-timeout", "max-connections", "x-forwarded",
        "pass-authorization", "allowed-hosts", "cors-origins", "oidc-required-scopes", "oidc-clock-skew", "remote-auth-grant", "remote-auth-client-key-file",
        "remote-auth-client-metadata-url", "remote-auth-assertion-file", "remote-auth-idp-token-url", "remote-auth-idp-client-id",
        "remote-auth-id-token-file", "remote-auth-dpop", "remote-auth-store", "ca-file", "tls-cert", "tls-key", "admin-port", "access-log", "check", "config",
    ];

    [Fact]
    public async Task HelpOfProxyListsEveryFlagWithItsEnvironmentName()
    {
        Outcome outcome = await Command.RunAsync(["proxy", "--help"]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.All(ProxyFlags, flag =>
        {
            Assert.Matches($"(?m)^  --{flag}( |$)", outcome.Output);
            Assert.Contains($"MCPPROXYFAST_{flag.ToUpperInvariant().Replace('-', '_')}]", outcome.Output, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task HelpOfAFlagNamesItsUnitAndDefault()
    {
        Outcome outcome = await Command.RunAsync(["proxy", "--help"]);

        Assert.Matches("(?m)^  --idle-timeout DURATION\n .*\n .*default: 120s", outcome.Output);
    }

    [Fact]
    public async Task HelpOfTheCommandListsItsVerbs()
    {
        Outcome outcome = await Command.RunAsync(["--help"]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.All(["proxy", "login", "logout", "status", "demo"], verb => Assert.Contains($"  {verb} ", outcome.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task VersionIsOneLine()
    {
        Outcome outcome = await Command.RunAsync(["proxy", "--version"]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.Matches(@"^mcpproxyfast \d+\.\d+\.\d+\n$", outcome.Output);
    }
}
