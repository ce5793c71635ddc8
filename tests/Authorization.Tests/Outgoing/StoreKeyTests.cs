using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>A store that the key at hand does not open is left as it is, whoever asks.</summary>
public sealed class StoreKeyTests : IDisposable
{
    private const string OneKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string AnotherKey = "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly TemporaryFolder _folder = new();

    private string Store => _folder.File("store");

    private CredentialStoreFile Plain => new(Store);

    private OAuthPolicy Policy => Rig.Policy with { Store = Plain };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(OneKey, null)]
    [InlineData(OneKey, AnotherKey)]
    [InlineData(null, AnotherKey)]
    public async Task ListingWithAnotherKeyChangesNothingAndNamesTheKey(string? made, string? used)
    {
        await using Rig rig = await SignedInAsync(made);
        (string, string)[] before = Files();

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StoredCredentials.ListAsync(Plain with { Key = used }, NullLogger.Instance));

        Assert.Contains("CredentialStoreFile.Key", refused.Message, StringComparison.Ordinal);
        Assert.Contains(Store, refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task ListingAStoreWhoseKeyFileIsGoneChangesNothing()
    {
        await using Rig rig = await SignedInAsync(key: null);
        File.Delete(Store + ".key");
        (string, string)[] before = Files();

        await Assert.ThrowsAsync<InvalidOperationException>(() => StoredCredentials.ListAsync(Plain, NullLogger.Instance));

        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task ListingADamagedStoreChangesNothing()
    {
        await using Rig rig = await SignedInAsync(key: null);
        byte[] whole = await File.ReadAllBytesAsync(Store);
        whole[^1] ^= 1;
        await File.WriteAllBytesAsync(Store, whole);
        (string, string)[] before = Files();

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StoredCredentials.ListAsync(Plain, NullLogger.Instance));

        Assert.Contains("is damaged", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task ListingWhereNothingIsStoredMakesNoFile()
    {
        Assert.Empty(await StoredCredentials.ListAsync(new CredentialStoreFile(_folder.File("sub/store")), NullLogger.Instance));

        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("proxy")]
    [InlineData("login")]
    [InlineData("logout")]
    public async Task AnotherKeyIsAnErrorAndTheStoreStays(string verb)
    {
        await using Rig rig = await SignedInAsync(OneKey);
        byte[] before = await File.ReadAllBytesAsync(Store);
        OAuthPolicy other = Policy with { Store = Plain with { Key = AnotherKey } };

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => verb switch
        {
            "login" => StoredCredentials.LoginAsync(other, rig.Server.Target, rig.Browser),
            "logout" => StoredCredentials.LogoutAsync(other, rig.Server.Target, rig.Browser),
            _ => StartAsync(rig, other),
        });

        Assert.Contains("was made with another key than that of CredentialStoreFile.Key", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(Store));
        Assert.Single(rig.Server.Authorizations);
        Assert.Single(await StoredCredentials.ListAsync(Plain with { Key = OneKey }, NullLogger.Instance));
    }

    private static async Task StartAsync(Rig rig, OutgoingPolicy policy)
    {
        await rig.ProxyAsync(policy);
        await rig.Source.StartAsync(CancellationToken.None);
    }

    private async Task<Rig> SignedInAsync(string? key)
    {
        Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Policy with { Store = Plain with { Key = key } }));
        await rig.DisposeProxiesAsync();
        return rig;
    }

    private (string Name, string Content)[] Files() =>
        [.. Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Order().Select(file => (file, Convert.ToHexString(File.ReadAllBytes(file))))];
}
