using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>stdout and stderr that are full, closed or read by nobody: the proxy serves and stops as if they were <c>/dev/null</c>.</summary>
public sealed class BrokenStreamTests : IDisposable
{
    /// <summary>Far more debug lines than a pipe holds.</summary>
    private const int Flood = 3_000;

    private readonly string _pipe = Path.Combine(Path.GetTempPath(), $"mcpproxyfast-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_pipe);

    [Fact]
    public async Task StderrThatNobodyReadsHoldsUpNothing()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // the pipe and the port are found as on Linux
        }

        await using Command command = Command.StartWithStreams(
            $"mkfifo {_pipe}; 2<>{_pipe}", "proxy", "name", "--target-uri", Nowhere(), "--debug");
        int port = await command.ListeningPortAsync();
        using (Socket flood = await ConnectAsync(port))
        {
            for (int i = 0; i < Flood; i++)
            {
                Assert.Equal(403, await AskAsync(flood, "GET /mcp HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"));
            }
        }

        using (Socket client = await ConnectAsync(port))
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

        await using Command command = Command.StartWithStreams(redirection, "proxy", "name", "--target-uri", Nowhere(), "--remote-auth-scopes", "idle");
        int port = await command.ListeningPortAsync();
        using Socket client = await ConnectAsync(port);
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
            redirection.Replace("PIPE", _pipe, StringComparison.Ordinal), "proxy", "name", "--target-uri", Nowhere());
        int port = await command.ListeningPortAsync();
        using Socket client = await ConnectAsync(port);
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

    /// <summary>The address of a server that is not there.</summary>
    private static string Nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"http://{listener.LocalEndpoint}";
    }

    private static async Task StopAsync(Command command)
    {
        await command.SignalAsync("TERM");
        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Sends a request and reads the whole answer, which says how long it is.</summary>
    /// <returns>Its status.</returns>
    private static async Task<int> AskAsync(Socket client, string request)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await client.SendAsync(Encoding.ASCII.GetBytes(request), patience.Token);
        byte[] buffer = new byte[16 * 1024];
        int length = 0;
        while (true)
        {
            int count = await client.ReceiveAsync(buffer.AsMemory(length), patience.Token);
            Assert.NotEqual(0, count);
            length += count;
            string text = Encoding.Latin1.GetString(buffer, 0, length);
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && length >= end + 4 + LengthOf(text[..end]))
            {
                return int.Parse(text[9..12]);
            }
        }
    }

    private static int LengthOf(string head)
    {
        const string Name = "Content-Length: ";
        int start = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        return start < 0 ? 0 : int.Parse(head[(start + Name.Length)..].Split('\r')[0]);
    }
}
