using System.Runtime.Versioning;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>A store that can be locked and read, but not written: as on a disk that is full.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class FullDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ASignInGoesOnInMemoryAndSaysSoOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        await Patience.UntilAsync(() => rig.Server.TokenRequests.Count == 2);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Single(rig.Server.Authorizations);
        Assert.Single(rig.Browser.Lines, IsWarning);
    }

    [Fact]
    public async Task ARegistrationIsMadeOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        var refusals = new Queue<string>(["server_error", "server_error"]);
        rig.Server.EditCallback = query =>
        {
            if (refusals.TryDequeue(out string? error))
            {
                query.Remove("code");
                query["error"] = error;
            }
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Policy with { Grant = Rig.WithBrowser with { CallbackPort = FreePort.Next() } });

        Assert.Equal(503, (await rig.AskAsync(proxy)).Status);
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(503, (await rig.AskAsync(proxy)).Status);
        rig.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(3, rig.Server.Authorizations.Count);
        Assert.Single(rig.Server.Registrations);
        Assert.Single(rig.Browser.Lines, IsWarning);
    }

    [Fact]
    public async Task RotatedTokensAreNotLostWhileTheProcessRuns()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);

        for (int renewals = 1; renewals <= 3; renewals++)
        {
            rig.Server.RevokeAll();
            Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
            Assert.Equal(1 + renewals, rig.Server.TokenRequests.Count);
        }

        Assert.Equal(0, rig.Server.Reuses);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ALoginWhoseResultCannotBeStoredFails()
    {
        await using Rig rig = await Rig.StartAsync();

        InvalidOperationException failed = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StoredCredentials.LoginAsync(Policy, rig.Server.Target, rig.Browser));

        Assert.Contains("could not be written to the credential store", failed.Message, StringComparison.Ordinal);
    }

    private OAuthPolicy Policy => Rig.Policy with { Store = new CredentialStoreFile(System.IO.Path.Combine(FullDisk.MakeFolder(_folder.Path), "s")) };

    private static bool IsWarning(string line) => line.Contains("New credentials are kept in memory only", StringComparison.Ordinal);
}
