using System.Web;
using ModelContextProtocol.Authentication;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>The official client, pointed at the protected proxy, finds its own way to a token.</summary>
public sealed class SdkSignInTests : IAsyncLifetime
{
    private static readonly Uri Callback = new("http://localhost/callback");

    private AuthorizationServer _login = null!;

    public async Task InitializeAsync() => _login = await AuthorizationServer.StartAsync();

    public async Task DisposeAsync() => await _login.DisposeAsync();

    [Fact]
    public async Task ClientFindsTheMetadataSignsInAndCallsATool()
    {
        TokenPolicy policy = TokenPolicy.Oidc(_login.Issuer, TokenForge.Audience) with { RequiredScopes = [AuthorizationServer.Scope] };
        await using ProtectedServer server = await ProtectedServer.StartAsync(policy);
        await using McpClient client = await McpClient.CreateAsync(new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = new Uri($"{server.Url}/mcp"),
            TransportMode = HttpTransportMode.StreamableHttp,
            OAuth = new ClientOAuthOptions { ClientId = AuthorizationServer.Native, RedirectUri = Callback, AuthorizationCallbackHandler = ConsentAsync },
        }));

        CallToolResult result = await client.CallToolAsync("greet", new Dictionary<string, object?> { ["name"] = "alice" });

        Assert.Equal("Hello, alice", result.Content.OfType<TextContentBlock>().Single().Text);
        Assert.All(server.Authorizations, value => Assert.Empty(value));
    }

    /// <summary>What a browser and a person would do: open the page, consent, and be sent back with a code.</summary>
    private static async Task<AuthorizationResult?> ConsentAsync(AuthorizationCallbackContext context, CancellationToken cancellationToken)
    {
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using HttpResponseMessage response = await browser.GetAsync(context.AuthorizationUri, cancellationToken);
        Assert.True(response.Headers.Location is not null, await response.Content.ReadAsStringAsync(cancellationToken));
        System.Collections.Specialized.NameValueCollection query = HttpUtility.ParseQueryString(response.Headers.Location.Query);
        return new AuthorizationResult { Code = query["code"], State = query["state"], Iss = query["iss"] };
    }
}
