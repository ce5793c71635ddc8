using System.IO.Pipelines;
using System.Text;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Cookies of the server: a load balancer may tell by them to which of several servers a session belongs.</summary>
public sealed class CookieTests
{
    private static readonly Uri Target = new("https://mcp.example.com/team/mcp");

    [Fact]
    public async Task CookieOfTheHandshakeComesBackWithEveryRequestOfTheSession()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            switch (exchange)
            {
                case { Method: "initialize" }:
                    exchange.Http.Response.Headers.SetCookie = (string[])
                    [
                        "node=a; Path=/; Secure; HttpOnly; SameSite=None",
                        "tenant=\"t 1\"; Domain=elsewhere.example; Expires=Tue, 19 Jan 2100 03:14:07 GMT",
                    ];
                    await exchange.WelcomeAsync();
                    break;
                case { Verb: "GET" }:
                    await exchange.HoldAsync();
                    break;
                case { Verb: "DELETE" } or { Id: null }:
                    await exchange.StatusAsync(202);
                    break;
                default:
                    await exchange.JsonAsync(Lines.Result(exchange.Id!));
                    break;
            }
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();
        await bridge.AskAsync(Lines.Call("1"));
        await server.Journal.SeenAsync("GET");
        await bridge.EndInputAsync();
        await bridge.EndedAsync();

        Assert.Equal(["DELETE", "GET", "POST", "POST", "POST"], server.Seen.Select(seen => seen.Verb).Order());
        Assert.Equal("", server.Seen.First().Field("Cookie"));
        Assert.All(server.Seen.Skip(1), seen => Assert.Equal("node=a; tenant=\"t 1\"", seen.Field("Cookie")));
    }

    [Fact]
    public async Task CookieOfTheStreamOfHttpSseComesBackWithEveryMessage()
    {
        TaskCompletionSource<Exchange> stream = new();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Verb == "GET")
            {
                exchange.Http.Response.Headers.SetCookie = "node=a";
                await exchange.EventsAsync("event: endpoint\ndata: /messages?session=1\n\n");
                stream.SetResult(exchange);
                await exchange.HoldAsync();
                return;
            }

            await exchange.StatusAsync(202);
            await (await stream.Task).EventsAsync($"data: {Lines.Result(exchange.Id!)}\n\n");
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address, options => options with { Transport = McpBridgeTransport.Sse });

        await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("node=a", server.Seen.Last().Field("Cookie"));
    }

    [Fact]
    public async Task CookieOfOneClientIsNotThatOfAnother()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
        {
            exchange.Http.Response.Headers.SetCookie = "client=1";
            return exchange.JsonAsync(Lines.Result(exchange.Id!));
        });
        await using var bridge = new McpBridge(new McpBridgeOptions { Upstream = new McpProxyOptions { Target = server.Address } });

        foreach (string line in (string[])[Lines.Call("1"), Lines.Call("2")])
        {
            Pipe toBridge = new(), fromBridge = new();
            Task running = bridge.RunAsync(new Ends(toBridge.Reader, fromBridge.Writer), CancellationToken.None);
            await toBridge.Writer.WriteAsync(Encoding.UTF8.GetBytes($"{line}\n"));
            await fromBridge.Reader.ReadAsync().AsTask().Soon();
            await toBridge.Writer.CompleteAsync();
            await running.Soon();
        }

        Assert.Equal(["", ""], server.Seen.Select(seen => seen.Field("Cookie")));
    }

    [Fact]
    public async Task CookieThatTheUserSetsIsSentAlone()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
        {
            exchange.Http.Response.Headers.SetCookie = "node=a";
            return exchange.JsonAsync(Lines.Result(exchange.Id!));
        });
        await using BridgeRun bridge = BridgeRun.Start(
            server.Address, options => options with { Upstream = options.Upstream with { AddedFields = [AddedField.Of("Cookie", "mine=1")] } });

        await bridge.AskAsync(Lines.Call("1"));
        await bridge.AskAsync(Lines.Call("2"));

        Assert.Equal(["mine=1", "mine=1"], server.Seen.Select(seen => seen.Field("Cookie")));
    }

    [Theory]
    [InlineData("a=1", "a=1")]
    [InlineData("a=", "a=")]
    [InlineData(" a = 1 ; path=/team", "a=1")]
    [InlineData("a=1; Path=/team/mcp", "a=1")]
    [InlineData("a=1; Path=/team/", "a=1")]
    [InlineData("a=1; Path=/tea", "")]
    [InlineData("a=1; Path=/other", "")]
    [InlineData("a=1; Path=other", "a=1")]
    [InlineData("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=1")]
    [InlineData("a=1; Max-Age=9999999999999", "a=1")]
    [InlineData("a=1; Max-Age=0", "")]
    [InlineData("a=1; Max-Age=-9223372036854775808", "")]
    [InlineData("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "")]
    [InlineData("a=1; Expires=whenever", "a=1")]
    [InlineData("=1", "")]
    [InlineData("a", "")]
    [InlineData("", "")]
    [InlineData("a=\u00e9", "")]
    [InlineData("a=1\t2", "")]
    public void CookieIsReadAndSentAsItSays(string line, string sent)
    {
        var jar = new CookieJar(Target, new FakeTimeProvider());

        Set(jar, line);

        Assert.Equal(sent, Sent(jar));
    }

    [Fact]
    public void CookieIsReplacedTakenBackAndEnds()
    {
        var clock = new FakeTimeProvider();
        var jar = new CookieJar(Target, clock);
        Set(jar, "a=1; Path=/", "b=1; Path=/; Max-Age=10", "c=1; Path=/");

        Set(jar, "a=2; Path=/", "c=; Path=/; Max-Age=0");
        Assert.Equal("a=2; b=1", Sent(jar));

        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("a=2", Sent(jar));
    }

    [Fact]
    public void CookiesAreBounded()
    {
        var jar = new CookieJar(Target, new FakeTimeProvider());

        Set(jar, [.. Enumerable.Range(0, 1_000).Select(i => $"c{i}=1")]);
        Assert.Equal(string.Join("; ", Enumerable.Range(950, 50).Select(i => $"c{i}=1")), Sent(jar));

        Set(jar, [.. Enumerable.Range(0, 4).Select(i => $"large{i}={new string('x', 3_000)}")]);
        Assert.Equal(["large2", "large3"], Sent(jar).Split("; ").Select(pair => pair.Split('=')[0]));
    }

    private static void Set(CookieJar jar, params string[] lines)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, ProxyLink.Target);
        using HttpResponseMessage response = new();
        response.Headers.TryAddWithoutValidation("Set-Cookie", lines);
        jar.Note(request, response);
    }

    private static string Sent(CookieJar jar)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, ProxyLink.Target);
        jar.AddTo(request);
        return request.Headers.TryGetValues("Cookie", out IEnumerable<string>? values) ? values.Single() : "";
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
