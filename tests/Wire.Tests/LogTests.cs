using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Wire.Tests;

/// <summary>What the log says of refused requests and of exchanges, and that no log can harm them.</summary>
public sealed class LogTests
{
    [Theory, OverEvery]
    public async Task RefusedHostIsNamedWithTheOptionThatAllowsIt(Over over)
    {
        var log = new LogLines();
        await using var host = new WireHost(over, options => options with { Logger = log, AllowedHosts = ["h"] });
        for (int i = 0; i < 3; i++)
        {
            await AskAsync(host, "GET /mcp HTTP/1.1\r\nHost: other.example\r\n\r\n", 403);
        }

        string line = Assert.Single(log.With("other.example"));
        Assert.StartsWith("Warning Refused a request from", line, StringComparison.Ordinal);
        Assert.Contains("add it to McpProxyOptions.AllowedHosts", line, StringComparison.Ordinal);
    }

    [Theory, OverEvery]
    public async Task RefusedOriginIsNamedWithTheOptionThatAllowsIt(Over over)
    {
        var log = new LogLines();
        await using var host = new WireHost(over, options => options with { Logger = log, AllowedOrigins = ["https://app.example"] });
        await AskAsync(host, "GET /mcp HTTP/1.1\r\nHost: h\r\nOrigin: https://other.example\r\n\r\n", 403);
        await AskAsync(host, "GET /mcp HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\nOrigin: https://b.example\r\n\r\n", 403);

        string line = Assert.Single(log.With("https://other.example"));
        Assert.StartsWith("Warning ", line, StringComparison.Ordinal);
        Assert.Contains("add it to McpProxyOptions.AllowedOrigins", line, StringComparison.Ordinal);
    }

    [Theory, OverEvery]
    public async Task ExchangeHasALineAtDebugLevel(Over over)
    {
        var log = new LogLines();
        await using var host = new WireHost(over, options => options with { Logger = log });
        _ = AnsweringUpstream.Ok(host);
        await AskAsync(host, "GET /mcp?secret=1 HTTP/1.1\r\nHost: h\r\n\r\n", 200);
        await log.UntilAsync(": 200 answered in ");

        string line = Assert.Single(log.With(": 200 answered in "));
        Assert.Matches(@"^Debug GET /mcp from \S+: 200 answered in \d+ ms\. $", line);
        Assert.Empty(log.With("secret"));
    }

    /// <summary>Its body has gone on to the upstream and is not kept, so the proxy cannot follow for the client.</summary>
    [Theory, OverEvery]
    public async Task RedirectOfARequestThatCannotBeSentAgainIsSaidWithTheTargetToGive(Over over)
    {
        var log = new LogLines();
        await using var host = new WireHost(over, options => options with { Logger = log, Limits = options.Limits with { ReplayWindowBytes = 0 } });
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nwx", "\r\n\r\nwx");
        await client.SendAsync("yz");
        await upstream.ReadThroughAsync("yz");
        await upstream.SendAsync("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(307, (await client.ReadResponseAsync()).Status);
        await log.UntilAsync("Set McpProxyOptions.Target to ");
        string line = Assert.Single(log.With("McpProxyOptions.Target"));
        Assert.StartsWith("Information The target redirects (307)", line, StringComparison.Ordinal);
        Assert.Contains($"://{host.Authority}/mcp/.", line, StringComparison.Ordinal);
    }

    [Theory, OverEvery]
    public async Task LoggerThatThrowsCostsNothing(Over over)
    {
        await using var host = new WireHost(over, options => options with { Logger = new ThrowingLogger(), AllowedHosts = ["h"] });
        for (int i = 0; i < 3; i++)
        {
            await AskAsync(host, "GET /mcp HTTP/1.1\r\nHost: other.example\r\n\r\n", 403);
            await AskAsync(host, "GET /health HTTP/1.1\r\nHost: h\r\n\r\n", 200);
        }
    }

    /// <summary>A new client asks, and is answered.</summary>
    private static async Task AskAsync(WireHost host, string request, int status)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        Assert.Equal(status, (await client.ReadResponseAsync()).Status);
        client.Finish();
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new IOException("No space left on device");

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new IOException("No space left on device");
    }
}
