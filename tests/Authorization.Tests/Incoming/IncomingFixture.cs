using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>A provider, its key, a forge for its tokens, and the proxy's gate in front of them; time is moved by hand.</summary>
internal sealed class IncomingFixture : IAsyncDisposable
{
    // Making an RSA key takes long; the tests do not change it.
    private static readonly TestKey SharedKey = TestKey.Rsa("key-1");

    private IncomingTokens? _tokens;

    private IncomingFixture(ProviderServer provider)
    {
        Provider = provider;
        Clock = new SettableClock();
        Forge = new TokenForge(provider.Url, Clock);
        Policy = TokenPolicy.Oidc(provider.Url, TokenForge.Audience);
    }

    public ProviderServer Provider { get; }

    public SettableClock Clock { get; }

    public TokenForge Forge { get; }

    /// <summary>May be changed before the first token.</summary>
    public ClaimsPolicy Policy { get; set; }

    public TestKey Key { get; } = SharedKey;

    /// <summary>The gate, started when it is first asked for.</summary>
    public TokenGate Gate => (_tokens ??= Start()).Gate;

    public static async Task<IncomingFixture> StartAsync()
    {
        var fixture = new IncomingFixture(await ProviderServer.StartAsync());
        fixture.Provider.Publish(fixture.Key);
        return fixture;
    }

    public async Task<TokenVerdict> DecideAsync(string token) => await Gate.DecideAsync(Encoding.UTF8.GetBytes(token), default);

    /// <summary>The reason code of the verdict; <c>admitted</c> for a good token.</summary>
    public async Task<string> ReasonAsync(string token) => (await DecideAsync(token)).Reason;

    public async ValueTask DisposeAsync()
    {
        if (_tokens is not null)
        {
            await _tokens.DisposeAsync();
        }

        await Provider.DisposeAsync();
    }

    private IncomingTokens Start()
    {
        IncomingTokens tokens = IncomingTokens.Open(Policy, trustAnchors: null, Clock, NullLogger.Instance);
        tokens.Gate.Start();
        return tokens;
    }
}
