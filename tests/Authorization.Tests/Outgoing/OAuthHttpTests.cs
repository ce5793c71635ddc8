using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class OAuthHttpTests
{
    // An address of the Internet that is never dialled: what matters is that it is not private.
    private static readonly Uri PublicTarget = new("https://8.8.8.8/mcp");

    [Fact]
    public async Task APublicTargetCannotSendTheProxyToAPrivateAddress()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        using var http = new OAuthHttp(PublicTarget, [], trustAnchors: null, TimeProvider.System);

        OAuthException refused = await Assert.ThrowsAsync<OAuthException>(() => GetAsync(http, $"{server.Origin}/.well-known/oauth-authorization-server"));

        Assert.Equal("private-address", refused.Code);
    }

    [Fact]
    public async Task ANameThatLeadsToAPrivateAddressIsNotDialled()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        using var http = new OAuthHttp(PublicTarget, [], trustAnchors: null, TimeProvider.System);
        string named = server.Origin.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

        OAuthException refused = await Assert.ThrowsAsync<OAuthException>(() => GetAsync(http, $"{named}/.well-known/oauth-authorization-server"));

        Assert.Contains("localhost has a private address", refused.Message, StringComparison.Ordinal);
        Assert.Contains("If the host is right, set OAuthPolicy.Server to its issuer URL", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8.8.8.8", false)]
    [InlineData(null, true)]
    public async Task ATargetMayNameAPrivateServerOnlyWhereAllItsAddressesArePrivate(string? second, bool isAllowed)
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        System.Net.IPAddress[] ofTarget = [.. new[] { "127.0.0.1", second }.OfType<string>().Select(System.Net.IPAddress.Parse)];
        using var http = new OAuthHttp(
            new Uri("https://target.test/mcp"),
            [],
            trustAnchors: null,
            TimeProvider.System,
            (host, _) => Task.FromResult(host == "target.test" ? ofTarget : [System.Net.IPAddress.Parse(host)]));
        string url = $"{server.Origin}/.well-known/oauth-authorization-server";

        if (isAllowed)
        {
            Assert.NotNull(await GetAsync(http, url));
        }
        else
        {
            Assert.Equal("private-address", (await Assert.ThrowsAsync<OAuthException>(() => GetAsync(http, url))).Code);
        }
    }

    [Fact]
    public async Task TheOperatorsOwnUrlMayBePrivate()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        using var http = new OAuthHttp(PublicTarget, [new Uri(server.Origin)], trustAnchors: null, TimeProvider.System);

        Assert.NotNull(await GetAsync(http, $"{server.Origin}/.well-known/oauth-authorization-server"));
    }

    [Fact]
    public async Task ARedirectOnTheSameHostIsFollowed()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        server.Overrides["/moved"] = http =>
        {
            http.Response.Redirect("/.well-known/oauth-authorization-server");
            return Task.CompletedTask;
        };
        using var http = new OAuthHttp(server.Target, [], trustAnchors: null, TimeProvider.System);

        Assert.NotNull(await GetAsync(http, $"{server.Origin}/moved"));
    }

    [Fact]
    public async Task ALoopOfRedirectsEnds()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        server.Overrides["/loop"] = http =>
        {
            http.Response.Redirect("/loop");
            return Task.CompletedTask;
        };
        using var http = new OAuthHttp(server.Target, [], trustAnchors: null, TimeProvider.System);

        Assert.Null(await GetAsync(http, $"{server.Origin}/loop"));
    }

    [Fact]
    public async Task AServerThatDripsIsGivenUp()
    {
        var clock = new FakeTimeProvider();
        await using SignInServer server = await SignInServer.StartAsync(clock);
        var dripping = new TaskCompletionSource();
        server.Overrides["/drip"] = async http =>
        {
            await http.Response.WriteAsync("{");
            await http.Response.Body.FlushAsync();
            dripping.SetResult();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        };
        using var http = new OAuthHttp(server.Target, [], trustAnchors: null, clock);

        Task<ServerMetadata?> asked = GetAsync(http, $"{server.Origin}/drip");
        await dripping.Task;
        clock.Advance(BoundedHandler.MaxRequestTime);
        OAuthException failed = await Assert.ThrowsAsync<OAuthException>(() => asked);

        Assert.Equal((OAuthFailure.Transient, "server-too-slow"), (failed.Failure, failed.Code));
        Assert.EndsWith("did not answer within 10 s.", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://login.example/x")]
    [InlineData("http://10.0.0.1/x")]
    [InlineData("ftp://127.0.0.1/x")]
    public async Task OnlyHttpsIsSpokenOutsideLoopback(string url)
    {
        using var http = new OAuthHttp(PublicTarget, [], trustAnchors: null, TimeProvider.System);

        OAuthException refused = await Assert.ThrowsAsync<OAuthException>(() => GetAsync(http, url));

        Assert.Equal("insecure-url", refused.Code);
    }

    [Theory]
    [InlineData("http://login.example/token", "insecure-url")]
    [InlineData("https://10.0.0.1/token", "private-address")]
    [InlineData("https://host.invalid/token", "server-unreachable")]
    public async Task WhatMustNotBeAskedIsKnownBeforeItIsAsked(string url, string code)
    {
        using var http = new OAuthHttp(PublicTarget, [], trustAnchors: null, TimeProvider.System, LookUpAsync);

        OAuthException refused = await Assert.ThrowsAsync<OAuthException>(() => http.CheckAsync(new Uri(url), CancellationToken.None));

        Assert.Equal(code, refused.Code);
    }

    private static Task<IPAddress[]> LookUpAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out IPAddress? address) ? Task.FromResult<IPAddress[]>([address])
        : host.EndsWith(".invalid", StringComparison.Ordinal) ? throw new SocketException((int)SocketError.HostNotFound)
        : Task.FromResult<IPAddress[]>([IPAddress.Parse("8.8.8.8")]);

    private static async Task<ServerMetadata?> GetAsync(OAuthHttp http, string url)
    {
        (_, JsonElement document) = await http.GetJsonAsync(url, DiscoveryJson.Default.JsonElement, CancellationToken.None);
        return document.ValueKind is JsonValueKind.Object ? DocumentReader.ReadServer(document) : null;
    }
}
