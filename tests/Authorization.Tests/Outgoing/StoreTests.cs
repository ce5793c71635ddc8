using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public sealed class StoreTests : IDisposable
{
    private const string OtherKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly TemporaryFolder _folder = new();

    private string Store => _folder.File("store");

    private OAuthPolicy Policy => Rig.Policy with { Store = new CredentialStoreFile(Store) };

    /// <summary>As they have been from the first version of the store on: with another, what is kept would not be found again.</summary>
    public static TheoryData<string, OAuthPolicy> Keys => new()
    {
        { "428b890bdbbf1be81f23547fbbacc6df", OutgoingPolicy.OAuth() },
        {
            "0111f4e2e41216e13db9d419e62826e7",
            new() { Grant = new OAuthGrant.DeviceCode(), Server = OAuthServer.FromIssuer("https://login.example"), Scopes = ["a", "b"], DPoP = true }
        },
        {
            "17cc21406f1cbc685b3802d547659fd7",
            new() { Grant = new OAuthGrant.AuthorizationCode { Client = OAuthClient.Described("https://a.example/c") }, Resource = "https://r.example" }
        },
        {
            "01939d8bd8e3fc55c091ff25a37f290b",
            new()
            {
                Grant = new OAuthGrant.ClientCredentials("c", ClientAuthentication.Secret("s")),
                Server = OAuthServer.FromEndpoints(new Uri("https://login.example/token")),
            }
        },
        { "84ae771cbc12c816c73ac50c6b9d76ff", new() { Grant = new OAuthGrant.JwtBearer("file") } },
        {
            "fa73072e9c1643953795b79a9222b27f",
            new()
            {
                Grant = new OAuthGrant.IdentityAssertion
                {
                    Client = new KnownClient("c"), IdpTokenUrl = new Uri("https://idp.example/token"), IdpClientId = "i", IdTokenFile = "file",
                },
            }
        },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Keys), DisableDiscoveryEnumeration = true)]
    public void TheKeyOfAnEntryStaysAsItIs(string key, OAuthPolicy policy) =>
        Assert.Equal(key, CredentialStore.KeyFor(policy, new Uri("https://mcp.example/mcp")));

    [Fact]
    public async Task ARestartGoesOnWithTheKeptToken()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Policy));

        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(Policy))).Status);

        Assert.Single(rig.Server.Authorizations);
        Assert.Single(rig.Server.TokenRequests);
    }

    [Fact]
    public async Task AKeptTokenThatIsRefusedIsRenewedEvenForARequestThatWasReplayedWithIt()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Policy));
        await rig.DisposeProxiesAsync();
        rig.Server.RevokeAll();
        var request = new UpstreamRequest("POST", rig.Server.Target);
        await using UpstreamCredentials source = UpstreamCredentials.For(Policy, new Uri(rig.Server.Origin), rig.Clock, rig.Browser);

        CredentialResult kept = await source.RecoverAsync(new(request, 401, ["Bearer"], DPoPNonce: null, Used: null, Attempt: 0), CancellationToken.None);
        CredentialResult renewed = await source.RecoverAsync(new(request, 401, ["Bearer"], DPoPNonce: null, kept.Line, Attempt: 1), CancellationToken.None);

        Assert.Equal((CredentialResultKind.Ready, CredentialResultKind.Ready), (kept.Kind, renewed.Kind));
        Assert.Equal(["authorization_code", "refresh_token"], rig.Server.TokenRequests.Select(asked => asked["grant_type"]));
    }

    [Fact]
    public async Task ARestartAfterTheTokensEndRenewsIt()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Policy));
        await rig.DisposeProxiesAsync();
        rig.Clock.Advance(TimeSpan.FromDays(3));

        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(Policy))).Status);

        Assert.Single(rig.Server.Authorizations);
        Assert.Equal(2, rig.Server.TokenRequests.Count);
    }

    [Fact]
    public async Task ARegistrationIsKeptForTheSameRedirect()
    {
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Policy with { Grant = Rig.WithBrowser with { CallbackPort = FreePort.Next() } };
        await rig.AskAsync(await rig.ProxyAsync(policy));
        rig.Server.LoseGrants();
        rig.Server.RevokeAll();
        rig.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(policy))).Status);

        Assert.Equal(2, rig.Server.Authorizations.Count);
        Assert.Single(rig.Server.Registrations);
    }

    [Fact]
    public async Task TheFileShowsNoSecretAndBelongsToItsOwnerAlone()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Policy));

        string text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(Store));

        Assert.DoesNotContain(rig.Server.Secrets, secret => text.Contains(secret, StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Store));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Store + ".key"));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"tokens\":1}")]
    [InlineData("truncated")]
    [InlineData("flipped")]
    public async Task ADamagedOrForeignFileIsPutAsideWithAWarning(string damage)
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Policy));
        byte[] whole = await File.ReadAllBytesAsync(Store);
        whole[^1] ^= 1;
        await File.WriteAllBytesAsync(Store, damage switch
        {
            "truncated" => whole[..20],
            "flipped" => whole,
            _ => Encoding.UTF8.GetBytes(damage),
        });

        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(Policy))).Status);

        Assert.Equal(2, rig.Server.Authorizations.Count);
        Assert.Single(Directory.GetFiles(_folder.Path, "store.unreadable-*"));
        Assert.Contains(rig.Browser.Lines, line => line.Contains("is damaged. It has been moved to", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AGivenKeyNeedsNoKeyFile()
    {
        await using Rig rig = await Rig.StartAsync();

        await rig.AskAsync(await rig.ProxyAsync(Policy with { Store = new CredentialStoreFile(Store) { Key = OtherKey } }));
        await rig.AskAsync(await rig.ProxyAsync(Policy with { Store = new CredentialStoreFile(Store) { Key = OtherKey } }));

        Assert.False(File.Exists(Store + ".key"));
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task StatusListsWithoutSecretsAndLogoutRevokes()
    {
        await using Rig rig = await Rig.StartAsync();
        var target = new Uri(rig.Server.Origin);
        await rig.AskAsync(await rig.ProxyAsync(Policy));
        await rig.DisposeProxiesAsync();

        StoredCredential listed = Assert.Single(await StoredCredentials.ListAsync(Policy.Store!, NullLogger.Instance));
        Assert.Equal((rig.Server.Origin + "/", rig.Server.Origin, true), (listed.Target, listed.Issuer, listed.IsRenewable));
        Assert.DoesNotContain(rig.Server.Secrets, secret => listed.ToString().Contains(secret, StringComparison.Ordinal));

        Assert.True(await StoredCredentials.LogoutAsync(Policy, target, NullLogger.Instance));
        Assert.StartsWith("refresh-", Assert.Single(rig.Server.Revoked), StringComparison.Ordinal);
        Assert.Empty(await StoredCredentials.ListAsync(Policy.Store!, NullLogger.Instance));
        Assert.False(await StoredCredentials.LogoutAsync(Policy, target, NullLogger.Instance));
    }

    [Fact]
    public async Task ARunningProxyDoesNotWriteBackWhatLogoutHasDropped()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata.Remove("revocation_endpoint");
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);

        Assert.True(await StoredCredentials.LogoutAsync(Policy, new Uri(rig.Server.Origin), NullLogger.Instance));
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("Somebody has signed out", StringComparison.Ordinal)));

        Assert.Empty(await StoredCredentials.ListAsync(Policy.Store!, NullLogger.Instance));
        Assert.Single(rig.Server.TokenRequests);
        rig.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(2, rig.Server.Authorizations.Count);
        Assert.Single(await StoredCredentials.ListAsync(Policy.Store!, NullLogger.Instance));
    }

    [Fact]
    public async Task WhatNobodySignedInForIsStoredAgainOnlyByLogin()
    {
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Policy with { Grant = new OAuthGrant.ClientCredentials("machine", ClientAuthentication.Secret("s3cret")) };
        ForwardingProxy proxy = await rig.ProxyAsync(policy, rig.Server.Target);
        await rig.AskAsync(proxy);
        await StoredCredentials.LogoutAsync(policy, rig.Server.Target, NullLogger.Instance);
        rig.Server.RevokeAll();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Empty(await StoredCredentials.ListAsync(policy.Store!, NullLogger.Instance));

        await StoredCredentials.LoginAsync(policy, rig.Server.Target, NullLogger.Instance);
        Assert.Single(await StoredCredentials.ListAsync(policy.Store!, NullLogger.Instance));
    }

    [Fact]
    public async Task LoginKeepsWhatTheProxyThenUses()
    {
        await using Rig rig = await Rig.StartAsync();

        StoredCredential? obtained = await StoredCredentials.LoginAsync(Policy, rig.Server.Target, rig.Browser);
        ForwardingProxy proxy = await rig.ProxyAsync(Policy, rig.Server.Target);

        Assert.Equal(rig.Server.Origin, obtained?.Issuer);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
    }
}
