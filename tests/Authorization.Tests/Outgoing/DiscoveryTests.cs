using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>How far a search goes, and what is made of documents that are not there, or not as they should be.</summary>
public sealed class DiscoveryTests
{
    private const string ResourcePlace = "/.well-known/oauth-protected-resource/mcp";
    private const string ServerPlace = "/.well-known/oauth-authorization-server";

    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(429)]
    public async Task AResourceDocumentThatFailsForAMomentIsReadLaterAndNobodySignsInWithoutIt(int status)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[ResourcePlace] = http => AnswerAsync(http, status);
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int refused, string message) = await rig.AskAsync(proxy);

        Assert.Equal(503, refused);
        Assert.Contains($"{ResourcePlace}: {status}", message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
        rig.Server.Overrides.Clear();
        rig.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(rig.Server.Target.OriginalString, rig.Server.Authorizations.Single()["resource"]);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    public async Task AResourceDocumentThatIsNotThereIsDoneWithout(int status)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[ResourcePlace] = http => AnswerAsync(http, status);

        await ExpectAnswerAsync(rig);

        Assert.DoesNotContain("resource", rig.Server.Authorizations.Single().Keys);
    }

    [Fact]
    public async Task OfManyAuthorizationServersAHandfulIsLookedAtAndTheMessageIsBounded()
    {
        await using Rig rig = await Rig.StartAsync();
        int asked = 0;
        rig.Server.EditResource = resource =>
            resource["authorization_servers"] = new JsonArray([.. Enumerable.Range(0, 1_500).Select(i => JsonValue.Create($"{rig.Server.Origin}/as{i}"))]);
        for (int i = 0; i < 1_500; i++)
        {
            rig.Server.Overrides[$"{ServerPlace}/as{i}"] = http =>
            {
                Interlocked.Increment(ref asked);
                return AnswerAsync(http, 404);
            };
        }

        string message = await RefusedAsync(rig);

        Assert.Equal(ProtectionDiscovery.MaxServers, asked);
        Assert.InRange(message.Length, 1, OAuthException.MaxMessageLength + 100);
    }

    [Fact]
    public async Task AHugeNameInADocumentIsNotRepeatedWhole()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["resource"] = "https://" + new string('a', 500_000);

        string message = await RefusedAsync(rig);

        Assert.InRange(message.Length, 1, OAuthException.MaxMessageLength + 100);
    }

    [Theory]
    [InlineData("/.well-known/oauth-protected-resource/mcp")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://metadata.example/resource")]
    [InlineData("https://no-such-host.invalid/resource")]
    [InlineData("https://")]
    [InlineData("not a url")]
    public async Task AResourceDocumentThatIsNamedWronglyIsLookedForWhereItBelongs(string named)
    {
        await using Rig rig = await Rig.StartAsync();
        RenameOnce(rig.Server, named);

        await ExpectSignInForTheTargetAsync(rig);
    }

    [Fact]
    public async Task AResourceDocumentThatIsTooLargeWhereItIsNamedIsLookedForWhereItBelongs()
    {
        await using Rig rig = await Rig.StartAsync();
        RenameOnce(rig.Server, "/elsewhere");
        rig.Server.Overrides["/elsewhere"] = TooLargeAsync;

        await ExpectSignInForTheTargetAsync(rig);
    }

    [Fact]
    public async Task AResourceDocumentThatIsTooLargeAtTheFirstPlaceIsLookedForAtTheRoot()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[ResourcePlace] = TooLargeAsync;
        rig.Server.Overrides["/.well-known/oauth-protected-resource"] = http =>
            http.Response.WriteAsJsonAsync(new { resource = rig.Server.Target.OriginalString, authorization_servers = new[] { rig.Server.Origin } });

        await ExpectSignInForTheTargetAsync(rig);
    }

    [Fact]
    public async Task ServerMetadataThatIsTooLargeAtTheFirstPlaceIsLookedForAtTheNext()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[ServerPlace] = TooLargeAsync;
        rig.Server.Overrides["/.well-known/openid-configuration"] = http => http.Response.WriteAsJsonAsync(new
        {
            issuer = rig.Server.Origin,
            authorization_endpoint = $"{rig.Server.Origin}/authorize",
            token_endpoint = $"{rig.Server.Origin}/token",
            registration_endpoint = $"{rig.Server.Origin}/register",
            code_challenge_methods_supported = new[] { "S256" },
        });

        await ExpectAnswerAsync(rig);
    }

    [Fact]
    public async Task NoEndpointIsAssumedWhereAServersMetadataIsTooLarge()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides[ResourcePlace] = http => AnswerAsync(http, 404);
        rig.Server.Overrides[ServerPlace] = TooLargeAsync;

        string message = await RefusedAsync(rig);

        Assert.Contains("sent more than 1024 KiB where a short answer was expected", message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Registrations);
    }

    [Fact]
    public async Task ADocumentOfAnotherResourceIsStillRefusedWhereverItIsNamed()
    {
        await using Rig rig = await Rig.StartAsync();
        RenameOnce(rig.Server, "/elsewhere");
        rig.Server.Overrides["/elsewhere"] = http =>
            http.Response.WriteAsJsonAsync(new { resource = $"{rig.Server.Origin}/other", authorization_servers = new[] { rig.Server.Origin } });

        string message = await RefusedAsync(rig);

        Assert.Contains("describes the resource", message, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Theory]
    [InlineData("", "/")]
    [InlineData("/", "")]
    public async Task AnIssuerWithoutAPathMayEndInASlashOrNot(string inResource, string inDocument)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditResource = resource => resource["authorization_servers"] = new JsonArray(rig.Server.Origin + inResource);
        rig.Server.EditMetadata = metadata => metadata["issuer"] = rig.Server.Origin + inDocument;
        rig.Server.EditCallback = back => back["iss"] = rig.Server.Origin + inDocument;

        await ExpectAnswerAsync(rig);
    }

    [Theory]
    [InlineData("https://a.test", "https://a.test/", true)]
    [InlineData("https://a.test:8443/", "https://a.test:8443", true)]
    [InlineData("https://a.test/x", "https://a.test/x", true)]
    [InlineData("https://a.test/x", "https://a.test/x/", false)]
    [InlineData("https://a.test/", "https://a.test//", false)]
    [InlineData("https://a.test", "https://A.test/", false)]
    [InlineData("https://a.test", "https://b.test/", false)]
    [InlineData("https://a.test", "http://a.test/", false)]
    [InlineData("https://a.test?x", "https://a.test?x/", false)]
    [InlineData("https://", "https:///", false)]
    [InlineData("a", "a/", false)]
    [InlineData("https://a.test", null, false)]
    public void IssuersAreComparedOrdinallyButForThatSlash(string one, string? other, bool areSame) =>
        Assert.Equal((areSame, areSame), (IssuerName.Same(one, other), IssuerName.Same(other, one)));

    /// <summary>A request through a new proxy is answered.</summary>
    private static async Task ExpectAnswerAsync(Rig rig) => Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync())).Status);

    /// <summary>A request through a new proxy is answered, after a sign-in for the target.</summary>
    private static async Task ExpectSignInForTheTargetAsync(Rig rig)
    {
        await ExpectAnswerAsync(rig);
        Assert.Equal(rig.Server.Target.OriginalString, rig.Server.Authorizations.Single()["resource"]);
    }

    /// <summary>A request through a new proxy gets 503. Returns what it says.</summary>
    private static async Task<string> RefusedAsync(Rig rig)
    {
        (int status, string message) = await rig.AskAsync(await rig.ProxyAsync());
        Assert.Equal(503, status);
        return message;
    }

    /// <summary>The first 401 names the document's place as given.</summary>
    private static void RenameOnce(SignInServer server, string named) => server.Overrides["/mcp"] = http =>
    {
        server.Overrides.TryRemove("/mcp", out _);
        http.Response.Headers.WWWAuthenticate = $"Bearer resource_metadata=\"{named}\"";
        return AnswerAsync(http, 401);
    };

    private static Task TooLargeAsync(HttpContext http) => http.Response.WriteAsync(new string(' ', 2 * 1024 * 1024));

    private static Task AnswerAsync(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
