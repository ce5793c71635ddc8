using System.Net;
using System.Net.Sockets;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>stdout and stderr that are full, closed or read by nobody: the proxy serves and stops as if they were <c>/dev/null</c>.</summary>
public sealed class BrokenStreamTests : IDisposable
{
    /// <summary>Far more debug lines than a pipe holds.</summary>
    private const int Flood = 3_000;

    private readonly string _pipe = Path.Combine(Path.GetTempPath(), $"mcpproxyfast-{Guid.NewGuid():N}");

    private readonly Socket _nobody = Loopback.Bind();

    /// <summary>The address of a server that is not there.</summary>
    private string Nowhere => $"http://{_nobody.LocalEndPoint}";

    public void Dispose()
    {
        _nobody.Dispose();
        File.Delete(_pipe);
    }

    [Fact]
    public async Task StderrThatNobodyReadsHoldsUpNothing()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // the pipe and the port are found as on Linux
        }

        await using Command command = Command.StartWithStreams(
            $"mkfifo {_pipe}; 2<>{_pipe}", "proxy", "name", "--target-uri", Nowhere, "--debug");
        int port = await command.ListeningPortAsync();
        await using (RawPeer flood = await ConnectAsync(port))
        {
            for (int i = 0; i < Flood; i++)
            {
                Assert.Equal(403, await AskAsync(flood, "GET /mcp HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"));
            }
        }

        await using (RawPeer client = await ConnectAsync(port))
        {
            Assert.Equal(200, await AskAsync(client, $"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"));
        }

        await StopAsync(command);
    }

    [Theory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    public async Task StderrThatTakesNothingCostsNoAnswer(string redirection)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await using Command command = Command.StartWithStreams(redirection, "proxy", "name", "--target-uri", Nowhere, "--remote-auth-scopes", "idle");
        int port = await command.ListeningPortAsync();
        await using RawPeer client = await ConnectAsync(port);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(502, await AskAsync(client, $"GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"));
        }

        await StopAsync(command);
    }

    [Theory]
    [InlineData(">/dev/full")]
    [InlineData(">&-")]
    [InlineData("mkfifo PIPE; exec 3<>PIPE; head -c 65536 /dev/zero >&3; >&3")]
    public async Task StdoutThatTakesNothingCostsNothingButItsLines(string redirection)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await using Command command = Command.StartWithStreams(
            redirection.Replace("PIPE", _pipe, StringComparison.Ordinal), "proxy", "name", "--target-uri", Nowhere);
        int port = await command.ListeningPortAsync();
        await using RawPeer client = await ConnectAsync(port);
        Assert.Equal(200, await AskAsync(client, $"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"));
        await StopAsync(command);
    }

    [Theory]
    [InlineData("2>/dev/full", 2, "proxy")]
    [InlineData("2>&-", 2, "proxy")]
    [InlineData(">/dev/full", 1, "--help")]
    [InlineData(">/dev/full", 1, "proxy", "name", "--target-uri", "http://localhost:1", "--check")]
    public async Task ErrorThatCannotBeSaidStillHasItsExitCode(string redirection, int exitCode, params string[] args)
    {
        await using Command command = Command.StartWithStreams(redirection, args);

        Assert.Equal(exitCode, (await command.EndAsync()).ExitCode);
    }

    private static async Task StopAsync(Command command)
    {
        await command.SignalAsync("TERM");
        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    private static async Task<RawPeer> ConnectAsync(int port) => RawPeer.Of(await Loopback.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)));

    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <returns>Its status.</returns>
    private static async Task<int> AskAsync(RawPeer client, string request)
    {
        await client.SendAsync(request);
        return (await client.ReadResponseAsync()).Status;
    }
}
