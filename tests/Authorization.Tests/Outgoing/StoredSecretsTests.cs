using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.OAuth.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Named secrets lie sealed in the credential store, beside the credentials.</summary>
public sealed class StoredSecretsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private CredentialStoreFile Store => new(_folder.File("store"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SecretIsFoundUnderItsNameAndNoOther()
    {
        await SetAsync("api-key", "hunter2");
        await SetAsync("other", "hunter3");

        Assert.Equal("hunter2", await FindAsync("api-key"));
        Assert.Null(await FindAsync("API-KEY"));
        Assert.Null(await FindAsync("api"));
        Assert.Equal(["api-key", "other"], await StoredSecrets.ListAsync(Store, NullLogger.Instance));
    }

    [Fact]
    public async Task NewValueTakesTheOldOnesPlace()
    {
        await SetAsync("api-key", "hunter2");
        await SetAsync("api-key", "hunter3");

        Assert.Equal("hunter3", await FindAsync("api-key"));
        Assert.Single(await StoredSecrets.ListAsync(Store, NullLogger.Instance));
    }

    [Fact]
    public async Task DeletedSecretIsGone()
    {
        await SetAsync("api-key", "hunter2");

        Assert.True(await StoredSecrets.DeleteAsync(Store, "api-key", NullLogger.Instance));
        Assert.False(await StoredSecrets.DeleteAsync(Store, "api-key", NullLogger.Instance));

        Assert.Null(await FindAsync("api-key"));
        Assert.Empty(await StoredSecrets.ListAsync(Store, NullLogger.Instance));
        using CredentialStore kept = CredentialStore.For(Store, NullLogger.Instance);
        Assert.All(await kept.ReadAllAsync(default), entry => Assert.Null(entry.Secret));
    }

    [Fact]
    public async Task StoreThatIsNotThereHoldsNothingAndIsNotMade()
    {
        Assert.Null(await FindAsync("api-key"));
        Assert.Empty(await StoredSecrets.ListAsync(Store, NullLogger.Instance));
        Assert.False(await StoredSecrets.DeleteAsync(Store, "api-key", NullLogger.Instance));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task NoFileHasTheSecretInPlain()
    {
        await SetAsync("api-key", "hunter2-hunter2");

        foreach (string file in Directory.GetFiles(_folder.Path))
        {
            Assert.DoesNotContain("hunter2", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task SecretsAreNoCredentials()
    {
        await SetAsync("api-key", "hunter2");

        Assert.Empty(await StoredCredentials.ListAsync(Store, NullLogger.Instance));
    }

    [Fact]
    public async Task SecretsAndCredentialsLeaveEachOtherAlone()
    {
        await SetAsync("api-key", "hunter2");
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync(Rig.Policy with { Store = Store }));
        await SetAsync("other", "hunter3");

        Assert.Single(await StoredCredentials.ListAsync(Store, NullLogger.Instance));
        Assert.Equal("hunter2", await FindAsync("api-key"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("env:hunter2")]
    [InlineData("hünter2")]
    [InlineData("hunter2\n")]
    public async Task WhatIsNoNameIsRefusedAndNotRepeated(string name)
    {
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(nameof(name), () => SetAsync(name, "value"));

        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("hunter2\nX: 1", "has a line break in it")]
    [InlineData("hunter2\u0001", "has a control character in it")]
    public async Task ValueThatCannotStandInAFieldIsRefusedAndNotRepeated(string value, string reason)
    {
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(nameof(value), () => SetAsync("api-key", value));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoreTakesNoMoreSecretsThanItMay()
    {
        using (CredentialStore kept = CredentialStore.For(Store, NullLogger.Instance))
        {
            using StoreLease lease = await kept.OpenAsync(default);
            for (int i = 0; i < StoredSecrets.MaxSecrets; i++)
            {
                lease.Put($"secret:n{i}", new StoredEntry { Target = $"n{i}", Secret = "v" });
            }
        }

        await SetAsync("n7", "another");
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => SetAsync("one-more", "v"));
        Assert.Contains("holds 256 secrets", refused.Message, StringComparison.Ordinal);
    }

    private Task SetAsync(string name, string value) => StoredSecrets.SetAsync(Store, name, value, NullLogger.Instance);

    private Task<string?> FindAsync(string name) => StoredSecrets.FindAsync(Store, name, NullLogger.Instance);
}
