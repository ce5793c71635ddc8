using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>What is missing on the machine is said in one sentence. That the native file says so too is tried by <c>.ci/publish-native</c>.</summary>
public sealed class PrerequisiteTests
{
    [Fact]
    public void MissingOpenSslIsNamedWithWhatNeedsIt()
    {
        if (!OperatingSystem.IsLinux())
        {
            // Elsewhere the system has the cryptography, and nothing is looked for.
            Prerequisites.RequireOpenSsl("--oidc-issuer", None);
            return;
        }

        var failed = Assert.Throws<FailedException>(() => Prerequisites.RequireOpenSsl("--oidc-issuer", None));

        Assert.StartsWith("--oidc-issuer needs OpenSSL, and libssl.so.3 is not on this machine", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenSslIsNotLookedForWhereNothingNeedsIt() => Prerequisites.RequireOpenSsl(reason: null, None);

    [Theory]
    [InlineData("libssl.so.3")]
    [InlineData("libssl.so.1.1")]
    public void OneOpenSslIsEnough(string installed) => Prerequisites.RequireOpenSsl("--oidc-issuer", (string name, out nint library) =>
    {
        library = 0;
        return name == installed;
    });

    [Theory]
    [InlineData("/home/me/.local/share/mcpproxyfast/credentials")]
    [InlineData("/var/lib/mcp/credentials")]
    public void StoreBelowAHomeFolderIsWhereItWas(string path) => Assert.Equal(path, Prerequisites.HomeOf(path));

    [Theory]
    [InlineData("mcpproxyfast/credentials")]
    [InlineData("/nonexistent/.local/share/mcpproxyfast/credentials")]
    public void StoreBelowNoHomeFolderIsRefused(string path) => Assert.Contains(
        "this user has no home folder to keep credentials in; give a file with --remote-auth-store",
        Assert.Throws<UsageException>(() => Prerequisites.HomeOf(path)).Message,
        StringComparison.Ordinal);

    [Fact]
    public async Task UserWithoutAHomeFolderIsToldSo()
    {
        var environment = new Dictionary<string, string> { ["HOME"] = "/nonexistent", ["XDG_DATA_HOME"] = "", ["DOTNET_CLI_HOME"] = Path.GetTempPath() };

        Outcome outcome = await Command.RunAsync(["proxy", "name", "--target-uri", "https://localhost/mcp", "--remote-auth"], environment);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("this user has no home folder", Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static bool None(string name, out nint library)
    {
        library = 0;
        return false;
    }
}
