using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>The verb secret: values come on stdin, and no output has them.</summary>
public sealed class SecretVerbTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private OpenUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await OpenUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("hunter2", "hunter2")]
    [InlineData("hunter2\n", "hunter2")]
    [InlineData("hunter2\r\n", "hunter2")]
    [InlineData("hunter2 ", "hunter2 ")]
    [InlineData("hünter2", "h\u00c3\u00bcnter2")]
    public async Task ValueIsKeptWithoutOneTrailingLineEnd(string input, string sent)
    {
        Outcome set = await SetAsync("api-key", input);

        Assert.Equal((0, $"mcpproxyfast: api-key is stored in {_folder.File("credentials")}\n", ""), (set.ExitCode, set.Output, set.Errors));
        Assert.Equal(sent, await SentAsync("api-key"));
    }

    [Theory]
    [InlineData("", "reads the value from stdin, but stdin was empty")]
    [InlineData("\n", "reads the value from stdin, but stdin was empty")]
    [InlineData("hunter2\n\n", "the value on stdin: The secret has a line break in it")]
    [InlineData("hunter2\nX-Evil: 1", "the value on stdin: The secret has a line break in it")]
    [InlineData("hunter2\0", "the value on stdin: The secret has a control character in it")]
    public async Task ValueThatCannotStandInAFieldIsRefusedAndNotRepeated(string input, string expected)
    {
        Outcome set = await SetAsync("api-key", input);

        Assert.Equal((2, ""), (set.ExitCode, set.Output));
        Assert.Contains(expected, Assert.Single(Lines(set.Errors)), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", set.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task ValueOfOtherBytesThanTextIsRefused()
    {
        Outcome set = await Command.RunWithInputAsync([0xFF, 0xFE, 0x41], ["secret", "set", "api-key"], Environment());

        Assert.Equal(2, set.ExitCode);
        Assert.Contains("the value on stdin is not UTF-8 text", set.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LongestValueIsKeptAndALongerOneRefused()
    {
        string longest = new('v', 8192);

        Assert.Equal(2, (await SetAsync("api-key", longest + "v")).ExitCode);
        Assert.Equal(2, (await SetAsync("api-key", new string('v', 1_000_000))).ExitCode);
        Assert.Equal(0, (await SetAsync("api-key", longest + "\r\n")).ExitCode);
        Assert.Equal(longest, await SentAsync("api-key"));
    }

    [Fact]
    public async Task ListPrintsTheNamesAlone()
    {
        Assert.Equal($"mcpproxyfast: no secret is stored in {_folder.File("credentials")}\n", (await RunAsync("list")).Output);
        await SetAsync("one", "hunter2");
        await SetAsync("another", "hunter3");

        Outcome list = await RunAsync("list");

        Assert.Equal((0, "another\none\n", ""), (list.ExitCode, list.Output, list.Errors));
    }

    [Fact]
    public async Task DeletedSecretIsGone()
    {
        await SetAsync("one", "hunter2");

        Outcome delete = await RunAsync("delete", "one");
        Outcome again = await RunAsync("delete", "one");

        Assert.Equal((0, $"mcpproxyfast: one is deleted from {_folder.File("credentials")}\n"), (delete.ExitCode, delete.Output));
        Assert.Equal((0, $"mcpproxyfast: no secret one is stored in {_folder.File("credentials")}\n"), (again.ExitCode, again.Output));
        Outcome proxy = await Command.RunAsync(
            ["proxy", "name", "--target-uri", _upstream.Origin, "--remote-forward-headers-secret", "X-Key=one"], Environment());
        Assert.Equal(2, proxy.ExitCode);
    }

    [Fact]
    public async Task SecretsAreNoCredentialsToStatus()
    {
        await SetAsync("one", "hunter2");

        Outcome status = await Command.RunAsync(["status"], Environment());

        Assert.Equal(0, status.ExitCode);
        Assert.Contains("no credential is stored", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetWithCheckStoresNothing()
    {
        Outcome check = await Command.RunWithInputAsync("hunter2"u8.ToArray(), ["secret", "set", "one", "--check"], Environment());

        Assert.Equal(0, check.ExitCode);
        Assert.DoesNotContain("hunter2", check.Output + check.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private Dictionary<string, string> Environment() => new() { ["MCPPROXYFAST_REMOTE_AUTH_STORE"] = _folder.File("credentials") };

    private Task<Outcome> SetAsync(string name, string value) => Command.RunWithInputAsync(Encoding.UTF8.GetBytes(value), ["secret", "set", name], Environment());

    private Task<Outcome> RunAsync(params string[] args) => Command.RunAsync(["secret", .. args], Environment());

    /// <returns>What the target gets, a character for each byte.</returns>
    private async Task<string> SentAsync(string secret)
    {
        using var upstream = new HeldUpstream();
        await using Command command = Command.Start(
            ["proxy", "name", "--target-uri", upstream.Address, "--remote-forward-headers-secret", $"X-Key={secret}"], Environment());
        string port = (await command.LineAsync("on port")).Split("on port ")[1].Split(' ')[0];
        using var client = new HttpClient();
        Task<string> asked = client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/mcp"));
        string head = await upstream.RequestAsync();
        await upstream.AnswerAsync("ok");
        await asked;
        return head.Split("X-Key: ")[1].Split("\r\n")[0];
    }
}
