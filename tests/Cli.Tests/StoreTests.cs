using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>A store that cannot be used is said in one line that names the flag or the variable, and stays as it is.</summary>
public sealed class StoreTests : IAsyncLifetime, IDisposable
{
    private const string OneKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string AnotherKey = "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    /// <summary>Signs in without a person, at the server that the target names.</summary>
    private static readonly string[] Machine = ["--remote-auth-grant", "client_credentials", "--remote-auth-client-id", "robot"];

    private readonly TemporaryFolder _folder = new();
    private SignInServer _server = null!;

    public async Task InitializeAsync() => _server = await SignInServer.StartAsync(TimeProvider.System);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("status", null)]
    [InlineData("status", AnotherKey)]
    [InlineData("login", AnotherKey)]
    [InlineData("logout", AnotherKey)]
    [InlineData("proxy", AnotherKey)]
    public async Task AnotherKeyEndsWithCodeOneAndNamesTheVariable(string verb, string? key)
    {
        await RunAsync("login", OneKey);
        byte[] before = await File.ReadAllBytesAsync(_folder.File("credentials"));

        Outcome outcome = await RunAsync(verb, key);

        Assert.Equal(1, outcome.ExitCode);
        string line = Assert.Single(Lines(outcome.Errors));
        Assert.Contains("MCPPROXYFAST_STORE_KEY", line, StringComparison.Ordinal);
        Assert.Contains(_folder.File("credentials"), line, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(_folder.File("credentials")));
        Assert.StartsWith($"{_server.Target}: issuer", (await RunAsync("status", OneKey)).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("login")]
    [InlineData("proxy")]
    public async Task CheckLeavesAStoreOfAnotherKeyAlone(string verb)
    {
        await RunAsync("login", OneKey);
        string[] before = Directory.GetFiles(_folder.Path);

        Outcome outcome = await RunAsync(verb, AnotherKey, "--check");

        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(before, Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("key is a folder", "is a folder")]
    [InlineData("key is a link to nothing", "which is not there")]
    [InlineData("name is too long", "the name is too long")]
    [InlineData("folder is a file", "cannot be opened")]
    [InlineData("lock is a folder", "cannot be opened")]
    [InlineData("key is open to all", "chmod 600")]
    public async Task StoreThatCannotBeUsedIsOneLineAndNobodySignsIn(string fault, string reason)
    {
        string store = Break(fault);

        foreach (string verb in (string[])["login", "proxy", "logout"])
        {
            Outcome outcome = await RunAtAsync(store, verb, key: null);

            Assert.Equal(1, outcome.ExitCode);
            string line = Assert.Single(Lines(outcome.Errors));
            Assert.Contains(reason, line, StringComparison.Ordinal);
            Assert.Contains(_folder.Path, line, StringComparison.Ordinal);
        }

        Assert.Empty(_server.TokenRequests);
    }

    private string Break(string fault)
    {
        string store = _folder.File("credentials");
        switch (fault)
        {
            case "key is a folder":
                Directory.CreateDirectory(store + ".key");
                return store;
            case "key is a link to nothing":
                File.CreateSymbolicLink(store + ".key", "/nowhere/at-all");
                return store;
            case "name is too long":
                return _folder.File(new string('a', 255));
            case "folder is a file":
                return _folder.Write("file", "") + "/credentials";
            case "lock is a folder":
                Directory.CreateDirectory(store + ".lock");
                return store;
            case "key is open to all" when !OperatingSystem.IsWindows():
                File.WriteAllBytes(store + ".key", new byte[32]);
                File.SetUnixFileMode(store + ".key", (UnixFileMode)0b110_100_100);
                return store;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault));
        }
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private Task<Outcome> RunAsync(string verb, string? key, params string[] flags) => RunAtAsync(_folder.File("credentials"), verb, key, flags);

    private Task<Outcome> RunAtAsync(string store, string verb, string? key, params string[] flags)
    {
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_REMOTE_AUTH_CLIENT_SECRET"] = "hunter2" };
        if (key is not null)
        {
            environment["MCPPROXYFAST_STORE_KEY"] = key;
        }

        string[] target = ["--target-uri", _server.Target.OriginalString, .. Machine];
        string[] args = verb switch
        {
            "status" => [verb],
            "proxy" => [verb, "name", .. target],
            _ => [verb, .. target],
        };
        return Command.RunAsync([.. args, "--remote-auth-store", store, .. flags], environment);
    }
}
