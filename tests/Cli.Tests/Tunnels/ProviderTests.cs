using System.Globalization;
using McpProxyFast.Cli.Tunnels;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>What each provider makes of its arguments, and what it reads in an agent's lines.</summary>
public sealed class ProviderTests
{
    [Fact]
    public void SshForwardsAPortOfTheServersLoopbackAndAsksNobody()
    {
        string arguments = string.Join(' ', Ssh("""{"host":"me@vps.example","port":2222}""").CommandFor("127.0.0.1:9000", "notes").Arguments);

        Assert.Contains("-o BatchMode=yes -o StrictHostKeyChecking=yes -o ExitOnForwardFailure=yes", arguments, StringComparison.Ordinal);
        Assert.EndsWith("-p 2222 -R localhost:0:127.0.0.1:9000 -- me@vps.example", arguments, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0", "0.0.0.0:8443:127.0.0.1:9000")]
    [InlineData("*", "*:8443:127.0.0.1:9000")]
    [InlineData("::1", "[::1]:8443:127.0.0.1:9000")]
    [InlineData("[::1]", "[::1]:8443:127.0.0.1:9000")]
    public void SshBindsWhereItIsTold(string remoteHost, string expected) => Assert.Contains(
        expected,
        Ssh($$"""{"host":"vps.example","remote-host":"{{remoteHost}}","remote-port":8443}""").CommandFor("127.0.0.1:9000", "notes").Arguments);

    [Fact]
    public void PathsAreQuotedAsSshReadsThem()
    {
        string folder = Directory.CreateTempSubdirectory("mcpproxyfast 100% ").FullName;
        string file = Path.Combine(folder, "key");
        File.WriteAllText(file, "");
        try
        {
            Assert.Contains(
                $"IdentityFile=\"{file.Replace("%", "%%", StringComparison.Ordinal)}\"",
                Ssh($$"""{"host":"vps.example","identity-file":"{{file}}"}""").CommandFor("127.0.0.1:9000", "notes").Arguments);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("""{"host":"me@vps.example","remote-port":8443}""", "http://vps.example:8443/")]
    [InlineData("""{"host":"me@vps.example","remote-port":8443,"url":"https://mcp.example.com"}""", "https://mcp.example.com/")]
    [InlineData("""{"host":"me@vps.example","url":"https://mcp.example.com"}""", "https://mcp.example.com/")]
    [InlineData("""{"host":"me@2001:db8::1","remote-port":8443}""", "http://[2001:db8::1]:8443/")]
    [InlineData("""{"host":"me@vps.example"}""", null)]
    public void AddressOfSshFollowsFromHostAndPort(string given, string? expected) => Assert.Equal(expected, Ssh(given).KnownUrl?.AbsoluteUri);

    [Theory]
    [InlineData("Allocated port 40123 for remote forward to 127.0.0.1:9000", "http://vps.example:40123/")]
    [InlineData("Allocated port 0 for remote forward to 127.0.0.1:9000", null)]
    [InlineData("Allocated port 99999 for remote forward to 127.0.0.1:9000", null)]
    [InlineData("motd: Allocated port 40123 for remote forward to 127.0.0.1:9000", null)]
    [InlineData("Warning: Permanently added 'vps.example' (ED25519) to the list of known hosts.", null)]
    public void PortThatTheServerChoseIsReadFromSsh(string line, string? expected) =>
        Assert.Equal(expected, Ssh("""{"host":"me@vps.example"}""").UrlIn(line)?.AbsoluteUri);

    [Theory]
    [InlineData("""{"lvl":"info","msg":"started tunnel","addr":{"Scheme":"http","Host":"127.0.0.1:9700"},"url":"https://94b1.ngrok-free.app"}""", "https://94b1.ngrok-free.app/")]
    [InlineData("""{"lvl":"info","msg":"started tunnel","url":"tcp://0.tcp.jp.ngrok.io:10936"}""", null)]
    [InlineData("""{"lvl":"info","msg":"started tunnel","url":17}""", null)]
    [InlineData("""{"lvl":"info","msg":"started tunnel","url":"https://a:b@c"}""", null)]
    [InlineData("""{"lvl":"eror","msg":"failed","url":"https://ngrok.com/docs/errors"}""", null)]
    [InlineData("""{"lvl":"info","msg":"started tun""", null)]
    [InlineData("""ERROR:  https://ngrok.com/docs/errors/err_ngrok_107""", null)]
    public void AddressOfNgrokIsThatOfTheStartedTunnel(string line, string? expected) => Assert.Equal(
        expected, NgrokProvider.Read(ProviderArguments.Parse("""{"auth-token":"t"}""")).UrlIn(line)?.AbsoluteUri);

    [Theory]
    [InlineData("2026-11-26T10:00:03Z INF |  https://four-dashed-word-url.trycloudflare.com                                     |", "https://four-dashed-word-url.trycloudflare.com/")]
    [InlineData("2026-11-26T10:00:01Z ERR Post \"https://api.trycloudflare.com/tunnel\": EOF", null)]
    [InlineData("2026-11-26T10:00:03Z INF |  https://a.trycloudflare.com.evil.example  |", null)]
    public void AddressOfCloudflaredIsTheFramedOne(string line, string? expected) => Assert.Equal(
        expected, CloudflaredProvider.Read(ProviderArguments.Parse("{}"), port: 0).UrlIn(line)?.AbsoluteUri);

    /// <summary>In seconds: the last pause, how long the agent ran, the next pause.</summary>
    [Theory]
    [InlineData("0 0.1 1")]
    [InlineData("1 0.1 2")]
    [InlineData("2 59 4")]
    [InlineData("32 0 60")]
    [InlineData("60 0 60")]
    [InlineData("60 60 1")]
    public void PauseGrowsWithEachShortRun(string row)
    {
        double[] seconds = [.. row.Split(' ').Select(part => double.Parse(part, CultureInfo.InvariantCulture))];

        Assert.Equal(TimeSpan.FromSeconds(seconds[2]), AgentKeeper.PauseAfter(TimeSpan.FromSeconds(seconds[0]), TimeSpan.FromSeconds(seconds[1])));
    }

    [Fact]
    public async Task LineOfAnyLengthIsRead()
    {
        List<string> lines = [];

        await AgentLines.ReadAsync(new StringReader($"short\r\n{new string('a', 100_000)}\n\nlast"), lines.Add);

        Assert.Equal(["short", new string('a', 8 * 1024), "last"], lines);
    }

    private static SshProvider Ssh(string given) => SshProvider.Read(ProviderArguments.Parse(given));
}
