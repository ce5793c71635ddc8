using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>Many callers over few connections: each is exchanged for once, and nobody is ever taken for another.</summary>
[Collection(nameof(ManyCallersTests))]
public sealed class ManyCallersTests : IAsyncLifetime
{
    private const int Callers = 1_000;
    private const int Requests = 10;
    private const int Connections = 64;

    private readonly ConcurrentDictionary<string, int> _exchanges = new();
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync()
    {
        _rig = await ExchangeRig.StartAsync();
        _rig.Answer = (http, request) =>
        {
            _exchanges.AddOrUpdate(request["subject_token"], 1, (_, count) => count + 1);
            return _rig.IssueAsync(http, request);
        };
    }

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task EachOfAThousandCallersIsExchangedForOnce()
    {
        string[] tokens = [.. Enumerable.Range(0, Callers).Select(caller => Token(caller, TimeSpan.FromHours(2)))];
        Uri proxy = await _rig.ProxyAsync();

        await AskAllAsync(proxy, tokens, Requests);

        Assert.Equal(Callers, _exchanges.Count);
        Assert.All(_exchanges.Values, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task NobodyIsTakenForAnotherWhileTokensExpire()
    {
        const int seconds = 90;
        _rig.Lifetime = TimeSpan.FromSeconds(30);
        string[] tokens = [.. Enumerable.Range(0, Callers).Select(caller => Token(caller, TimeSpan.FromHours(2)))];
        Uri proxy = await _rig.ProxyAsync();

        await AskAllAsync(proxy, tokens, Requests, asked =>
        {
            if (asked % (Callers * Requests / seconds) == 0)
            {
                _rig.Clock.Advance(TimeSpan.FromSeconds(1)); // little by little: an exchange under way has ten seconds
            }
        });

        // A token is renewed 22 to 24 s after it was issued at the earliest.
        Assert.Equal(Callers, _exchanges.Count);
        Assert.InRange(_exchanges.Values.Sum(), Callers + 1, Callers * 5);
        Assert.All(_exchanges.Values, count => Assert.InRange(count, 1, 5));
    }

    [Fact]
    public async Task CallersWhoseTokensShareEveryNameAreToldApart()
    {
        // Another issuer's, or a later, token of the same jti, sub and e-mail is another token.
        string[] tokens =
        [
            .. Enumerable.Range(0, 200).Select(caller => Jwt(new JsonObject
            {
                ["iss"] = $"https://issuer-{caller}.example",
                ["jti"] = "same",
                ["sub"] = "same",
                ["email"] = "same@example.com",
            })),
        ];
        Uri proxy = await _rig.ProxyAsync();

        await AskAllAsync(proxy, tokens, Requests);

        Assert.Equal(tokens.Length, _exchanges.Count);
        Assert.All(_exchanges.Values, count => Assert.Equal(1, count));
    }

    private static async Task AskAllAsync(Uri proxy, string[] tokens, int requests, Action<int>? onAsked = null)
    {
        // The order is shuffled, so that each connection carries many callers.
        string[] asked = [.. Enumerable.Range(0, requests).SelectMany(_ => tokens)];
        new Random(1).Shuffle(asked);
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = Connections };
        using var client = new HttpClient(handler);
        var mixed = new ConcurrentQueue<string>();
        int count = 0;
        await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = Connections }, async (token, cancel) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(proxy, "/mcp")) { Content = new StringContent("{}") };
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
            onAsked?.Invoke(Interlocked.Increment(ref count));
            using HttpResponseMessage response = await client.SendAsync(request, cancel);
            string body = await response.Content.ReadAsStringAsync(cancel);
            if (!response.IsSuccessStatusCode || !body.EndsWith($"-for-{token}", StringComparison.Ordinal))
            {
                mixed.Enqueue($"{(int)response.StatusCode} {body} for {token}");
            }
        });
        Assert.Empty(mixed);
    }

    private string Token(int caller, TimeSpan life) =>
        Jwt(new JsonObject { ["sub"] = $"caller-{caller}", ["exp"] = (_rig.Clock.GetUtcNow() + life).ToUnixTimeSeconds() });

    private static string Jwt(JsonObject claims) => $"e30.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}.c2ln";
}
