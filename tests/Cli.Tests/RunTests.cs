using System.Text.RegularExpressions;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>The command from its start line to its end.</summary>
public sealed partial class RunTests : IDisposable
{
    private readonly HeldUpstream _upstream = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _upstream.Dispose();
    }

    [Fact]
    public async Task StartLineNamesThePortAndTheTarget()
    {
        await using Command command = Proxy();

        Assert.Matches($@"on port \d+ -> {Regex.Escape(_upstream.Address)}/$", await command.LineAsync("on port"));
    }

    /// <summary>Programs look the name up to either address, as each likes.</summary>
    [Fact]
    public async Task LocalhostIsBothLoopbackAddresses()
    {
        await using Command command = Proxy("--host", "localhost");
        string port = Regex.Match(await command.LineAsync("on port"), @"on port (\d+)").Groups[1].Value;

        Assert.Contains("healthy", await _client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/health")), StringComparison.Ordinal);
        if (HasIpv6Loopback())
        {
            Assert.Contains("healthy", await _client.GetStringAsync(new Uri($"http://[::1]:{port}/health")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task SignalToStopEndsTheCommandWithCodeZero()
    {
        await using Command command = Proxy();
        await command.LineAsync("on port");

        await command.SignalAsync("TERM");
        Outcome outcome = await command.EndAsync();

        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("stopped", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunningExchangeEndsBeforeTheCommandDoes()
    {
        await using Command command = Proxy("--drain-timeout", "60s");
        Task<string> answer = await SendAsync(command);

        await command.SignalAsync("TERM");
        await RefusedAsync();
        await _upstream.AnswerAsync("late, but whole");

        Assert.Equal("late, but whole", await answer);
        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task SecondSignalEndsTheCommandAtOnce()
    {
        await using Command command = Proxy("--drain-timeout", "1h");
        Task<string> answer = await SendAsync(command);

        await command.SignalAsync("INT");
        await RefusedAsync();
        await command.SignalAsync("INT");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task EverySignalToStopLetsTheRunningExchangeEnd(string signal)
    {
        await using Command command = Proxy("--drain-timeout", "60s");
        Task<string> answer = await SendAsync(command);

        await command.SignalAsync(signal);
        await RefusedAsync();
        await _upstream.AnswerAsync("late, but whole");

        Assert.Equal("late, but whole", await answer);
        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task HangUpChangesNothingAndSaysSo()
    {
        await using Command command = Proxy();
        Task<string> answer = await SendAsync(command);

        await command.SignalAsync("HUP");
        await command.ErrorLineAsync("SIGHUP does not reload settings");
        await _upstream.AnswerAsync("as if nothing had been");

        Assert.Equal("as if nothing had been", await answer);
        await command.SignalAsync("TERM");
        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task StopThatWaitsSaysForWhatAndHowItIsCutShort()
    {
        await using Command command = Proxy("--drain-timeout", "1h");
        Task<string> answer = await SendAsync(command);

        await command.SignalAsync("INT");
        await command.ErrorLineAsync("stopping: 1 connection is still in use and gets up to 3600 s to finish; a second Ctrl-C or signal ends the process at once");
        await command.SignalAsync("INT");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer);
    }

    [Fact]
    public async Task SecretOnTheCommandLineLogsOneWarningWithoutIt()
    {
        await using Command command = Proxy("--remote-auth-bearer-token", "hunter2");
        await command.LineAsync("on port");

        await command.SignalAsync("TERM");
        Outcome outcome = await command.EndAsync();

        Assert.Single(Warning().Matches(outcome.Errors));
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
    }

    private static bool HasIpv6Loopback()
    {
        try
        {
            using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.IPv6Loopback, 0);
            probe.Start();
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    [GeneratedRegex("warn .*--remote-auth-bearer-token")]
    private static partial Regex Warning();

    private Uri? _address;

    private Command Proxy(params string[] flags) => Command.Start(["proxy", "name", "--target-uri", _upstream.Address, .. flags]);

    /// <summary>Sends a request and waits until it has reached the upstream.</summary>
    private async Task<Task<string>> SendAsync(Command command)
    {
        Match port = Regex.Match(await command.LineAsync("on port"), @"on port (\d+)");
        _address = new Uri($"http://127.0.0.1:{port.Groups[1].Value}/mcp");
        Task<string> answer = _client.GetStringAsync(_address);
        await _upstream.RequestAsync();
        return answer;
    }

    /// <summary>Waits until the listener is closed: from then on the first signal has been acted upon.</summary>
    private Task RefusedAsync() => Patience.UntilAsync(() => !Listens(), "The command still listens: it has not acted upon the signal.");

    private bool Listens()
    {
        try
        {
            using var probe = new System.Net.Sockets.TcpClient();
            probe.Connect(_address!.Host, _address.Port);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
