using System.Net;
using System.Text.Json.Nodes;
using System.Web;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>A first sign-in that comes to nothing while a client waits: one window, an answer that says why, and a proxy that lives on.</summary>
public sealed class FailedStartTests : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http = new();
    private McpProxy? _proxy;
    private Task _running = Task.CompletedTask;
    private Uri _address = null!;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _proxy!.DisposeAsync();
        _stopping.Dispose();
        _http.Dispose();
    }

    [Theory]
    [InlineData("access_denied")]
    [InlineData("invalid_scope")]
    [InlineData("server_error")]
    public async Task ARefusedSignInAnswersTheWaitingCallAndOpensNoSecondWindow(string error)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        Run(rig, wording: null);
        Task<(int Status, string Message)> waiting = AskAsync();
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        Uri window = rig.Browser.LastUrl!;
        string callback = HttpUtility.ParseQueryString(window.Query)["redirect_uri"]!;
        string state = HttpUtility.ParseQueryString(window.Query)["state"]!;

        using HttpResponseMessage page = await _http.GetAsync($"{callback}?error={error}&state={state}&iss={Uri.EscapeDataString(rig.Server.Origin)}");
        (int status, string message) = await waiting;

        Assert.Equal(503, status);
        Assert.Contains($"refused the sign-in: {error}", message, StringComparison.Ordinal);
        Assert.Equal(503, (await AskAsync()).Status);
        Assert.Equal((window, false), (rig.Browser.LastUrl!, _running.IsCompleted));

        rig.Browser.IsAttended = true;
        rig.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(200, (await AskAsync()).Status);
    }

    [Fact]
    public async Task ASignInThatNobodyCompletesLeavesTheProxyAliveAsItsMessageSays()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        Run(rig, wording: null);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        Uri window = rig.Browser.LastUrl!;
        rig.Clock.Advance(TimeSpan.FromMinutes(5));
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("Nobody completed the sign-in", StringComparison.Ordinal)));

        (int status, string message) = await AskAsync();

        Assert.Equal(503, status);
        Assert.Contains("The next request, or `mcpproxyfast login`, starts another.", message, StringComparison.Ordinal);
        Assert.Equal((window, false), (rig.Browser.LastUrl!, _running.IsCompleted));
        rig.Browser.IsAttended = true;
        rig.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(200, (await AskAsync()).Status);
    }

    [Fact]
    public async Task ASentenceReachesTheClientInTheHostsWords()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditCallback = back =>
        {
            back.Remove("code");
            back["error"] = "invalid_target";
        };
        Run(rig, text => text.Replace("OAuthPolicy.Resource", "--remote-auth-resource", StringComparison.Ordinal));

        (int status, string message) = await AskAsync();

        Assert.Equal(503, status);
        Assert.Contains("set --remote-auth-resource to none.", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WordsThatCannotBeFoundLeaveTheSentenceAsItIs()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditCallback = back =>
        {
            back.Remove("code");
            back["error"] = "invalid_target";
        };
        Run(rig, _ => throw new FormatException("s3cret"));

        (int status, string message) = await AskAsync();

        Assert.Equal(503, status);
        Assert.Contains("set OAuthPolicy.Resource to none.", message, StringComparison.Ordinal);
        Assert.Contains(rig.Browser.Lines, line => line.Contains("The host program's Wording threw System.FormatException", StringComparison.Ordinal));
        Assert.DoesNotContain(rig.Browser.Lines, line => line.Contains("s3cret", StringComparison.Ordinal));
    }

    private void Run(Rig rig, Func<string, string>? wording)
    {
        var options = new McpProxyOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Target = rig.Server.Target,
            Logger = rig.Browser,
            Wording = wording,
        };
        _proxy = new McpProxy(options, UpstreamCredentials.For(Rig.Policy, rig.Server.Target, rig.Clock, rig.Browser));
        _address = new Uri($"http://{_proxy.Bind()}/mcp");
        _running = _proxy.RunAsync(_stopping.Token);
    }

    /// <returns>The status, and the message of a JSON-RPC error.</returns>
    private async Task<(int Status, string Message)> AskAsync()
    {
        using HttpResponseMessage response = await _http.PostAsync(_address, new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""));
        string body = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, response.StatusCode is HttpStatusCode.OK ? body : (string)JsonNode.Parse(body)!["error"]!["message"]!);
    }
}
