using System.Runtime.Versioning;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>The files of the store as other users of the machine, and a system in trouble, meet them. Windows has neither modes nor these links.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class StoreFileTests : IDisposable
{
    private const string Name = "entry";
    private const string Turn = "0123456789abcdef";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly StoredEntry Entry = new() { Target = "https://mcp.example/" };

    private readonly TemporaryFolder _folder = new();
    private readonly Browser _log = new();

    private string Store => _folder.File("store");

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task EveryFileBelongsToItsOwnerAlone()
    {
        await PutAsync(Store);

        var turns = new StoreLocks(Store);
        using RenewalTurn renewal = await turns.TakeRenewalAsync(Turn, CancellationToken.None);
        using FileStream? signIn = await turns.TakeSignInAsync(Turn, () => { }, CancellationToken.None);
        using FileStream? window = await turns.TakeWindowAsync(() => { }, CancellationToken.None);

        Assert.Equal(["", ".key", ".lock", ".renew-01234567", ".signin-01234567", ".window"], Suffixes());
        Assert.All(Directory.GetFiles(_folder.Path), file => Assert.Equal(OwnerOnly, File.GetUnixFileMode(file)));
    }

    [RootFact]
    public async Task AnotherUserCanNeitherReadNorLockAnyOfThem()
    {
        await EveryFileBelongsToItsOwnerAlone();
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        foreach (string file in Directory.GetFiles(_folder.Path))
        {
            const string Script = "head -c 1 \"$0\" || flock --nonblock \"$0\" true || true >> \"$0\"";
            string[] arguments = ["--reuid=12345", "--regid=12345", "--clear-groups", "sh", "-c", Script, file];
            var start = new System.Diagnostics.ProcessStartInfo("setpriv", arguments) { RedirectStandardError = true };
            using var other = System.Diagnostics.Process.Start(start)!;
            string said = await other.StandardError.ReadToEndAsync();
            await other.WaitForExitAsync();
            Assert.True(other.ExitCode != 0, file);
            Assert.Contains("Permission denied", said, StringComparison.Ordinal);
        }
    }

    [RootTheory]
    [InlineData(".lock")]
    [InlineData(".renew-01234567")]
    public async Task ALockThatAnotherUserHasMadeAndHoldsIsNotWaitedFor(string suffix)
    {
        await File.WriteAllTextAsync(Store + suffix, "");
        using (var chown = System.Diagnostics.Process.Start("chown", ["12345", Store + suffix]))
        {
            await chown.WaitForExitAsync();
        }

        using var theirs = new FileStream(Store + suffix, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20)); // the wait for a lock that is ours is longer

        if (suffix == ".lock")
        {
            await RefusedAsync(Store, "belongs to another user; remove it", Store + suffix);
        }
        else
        {
            using RenewalTurn turn = await new StoreLocks(Store).TakeRenewalAsync(Turn, patience.Token);
            Assert.False(turn.WasShown("any"));
        }
    }

    [Fact]
    public async Task ALockOfAnEarlierVersionIsClosedToOtherUsers()
    {
        await File.WriteAllTextAsync(Store + ".lock", "");
        File.SetUnixFileMode(Store + ".lock", OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        await PutAsync(Store);

        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Store + ".lock"));
    }

    [Fact]
    public async Task AFileThatSomebodyHasPutInTheWayIsNotWrittenTo()
    {
        string victim = _folder.Write("victim", "precious");
        File.CreateSymbolicLink($"{Store}.{Environment.ProcessId}.new", victim);

        await PutAsync(Store);

        Assert.Equal("precious", await File.ReadAllTextAsync(victim));
        Assert.Null(new FileInfo(Store).LinkTarget);
    }

    [Theory]
    [InlineData(".key", UnixFileMode.GroupRead, "chmod 600")]
    [InlineData(".key", UnixFileMode.OtherRead, "chmod 600")]
    [InlineData(".key", UnixFileMode.OtherWrite, "chmod 600")]
    [InlineData("", UnixFileMode.OtherWrite, "chmod 600")]
    public async Task AFileThatOthersCanUseIsRefused(string suffix, UnixFileMode open, string cure)
    {
        await PutAsync(Store);
        File.SetUnixFileMode(Store + suffix, OwnerOnly | open);

        await RefusedAsync(Store, cure, Store + suffix);
    }

    [RootTheory]
    [InlineData(".key", "belongs to another user")]
    [InlineData("", "belongs to another user")]
    [InlineData(".lock", "belongs to another user; remove it")]
    public async Task AFileOfAnotherUserIsRefused(string suffix, string reason)
    {
        await PutAsync(Store);
        using (var chown = System.Diagnostics.Process.Start("chown", ["12345", Store + suffix]))
        {
            await chown.WaitForExitAsync();
        }

        await RefusedAsync(Store, reason, Store + suffix);
    }

    /// <summary>In a folder that others write, as the one for temporary files. To open a pipe that nobody writes to does not end.</summary>
    [RootTheory]
    [InlineData(".key")]
    [InlineData("")]
    public async Task APipeOfAnotherUserIsNotOpened(string suffix)
    {
        foreach (string[] command in (string[][])[["mkfifo", "--mode=666", Store + suffix], ["chown", "12345", Store + suffix]])
        {
            using var made = System.Diagnostics.Process.Start(command[0], command[1..]);
            await made.WaitForExitAsync();
        }

        await Task.Run(() => RefusedAsync(Store, "belongs to another user", Store + suffix)).WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>A server that writes a megabyte of what JSON escapes must not cost the sign-ins at others.</summary>
    [Fact]
    public async Task AnEntryThatWouldMakeTheFileTooLargeStaysInMemory()
    {
        await PutAsync(Store);
        using var store = new CredentialStore(Store, key: null, _log);
        using (StoreLease lease = await store.OpenAsync(CancellationToken.None))
        {
            lease.Put("large", Entry with { Secret = new string('a', 17 * 1024 * 1024) });
            Assert.NotNull(lease.Find("large").Secret);
        }

        Assert.Contains("would be larger than 16 MiB", store.Unsaved, StringComparison.Ordinal);
        Assert.Equal(1, await GenerationAsync(Store));
    }

    [Fact]
    public async Task ALockThatCannotBeOpenedAnyMoreStopsNothing()
    {
        using var store = new CredentialStore(Store, key: null, _log);
        await PutAsync(store);
        File.Delete(Store + ".lock");
        Directory.CreateDirectory(Store + ".lock");

        for (int generation = 2; generation <= 3; generation++)
        {
            Assert.Equal(generation, await PutAsync(store));
        }

        Assert.Single(_log.Lines, line => line.Contains("are kept in memory", StringComparison.Ordinal) && line.Contains(Store + ".lock", StringComparison.Ordinal));
        Directory.Delete(Store + ".lock");
        Assert.Equal(4, await PutAsync(store));
        Assert.Null(store.Unsaved);
        Assert.Equal(4, await GenerationAsync(Store));
    }

    [Fact]
    public async Task WhatAnotherProcessHasWrittenMeanwhileCounts()
    {
        using var store = new CredentialStore(Store, key: null, _log);
        await PutAsync(store);
        File.Delete(Store + ".lock");
        Directory.CreateDirectory(Store + ".lock");
        await PutAsync(store);
        Directory.Delete(Store + ".lock");
        using (var other = new CredentialStore(Store, key: null, _log))
        using (StoreLease lease = await other.OpenAsync(CancellationToken.None))
        {
            lease.Put(Name, Entry with { Target = "https://newer.example/" });
        }

        using StoreLease merged = await store.OpenAsync(CancellationToken.None);

        Assert.Equal("https://newer.example/", merged.Find(Name).Target);
    }

    [Theory]
    [InlineData(".key", "is a folder")]
    [InlineData("", "is a folder")]
    [InlineData(".lock", "cannot be opened")]
    public async Task AFolderInTheWayIsSaid(string suffix, string reason)
    {
        Directory.CreateDirectory(Store + suffix);

        await RefusedAsync(Store, reason, Store + suffix);
    }

    [Theory]
    [InlineData(".key", "is a link to /nowhere/at-all, which is not there")]
    [InlineData("", "is a link to /nowhere/at-all, which is not there")]
    [InlineData(".lock", "it is a link; remove it")]
    public async Task ALinkToNothingIsSaid(string suffix, string reason)
    {
        File.CreateSymbolicLink(Store + suffix, "/nowhere/at-all");

        await RefusedAsync(Store, reason, Store + suffix);
    }

    [Fact]
    public Task ANameThatIsTooLongIsSaid() => RefusedAsync(_folder.File(new string('a', 255)), "the name is too long", _folder.Path);

    [Fact]
    public Task AFileInThePlaceOfTheFolderIsSaid() => RefusedAsync(_folder.Write("file", "") + "/store", "cannot be opened", _folder.Path);

    [Fact]
    public async Task AKeyFileWithoutAKeyIsSaidAndStays()
    {
        await File.WriteAllTextAsync(Store + ".key", "short");
        File.SetUnixFileMode(Store + ".key", OwnerOnly);

        await RefusedAsync(Store, "holds no key", Store + ".key");

        Assert.Equal("short", await File.ReadAllTextAsync(Store + ".key"));
    }

    private IEnumerable<string> Suffixes() => Directory.GetFiles(_folder.Path).Select(file => file[Store.Length..]).Order();

    private static async Task<long> PutAsync(CredentialStore store)
    {
        using StoreLease lease = await store.OpenAsync(CancellationToken.None);
        lease.Put(Name, Entry);
        return lease.Find(Name).Generation;
    }

    private async Task PutAsync(string path)
    {
        using var store = new CredentialStore(path, key: null, _log);
        await PutAsync(store);
        Assert.Null(store.Unsaved);
    }

    private async Task<long> GenerationAsync(string path)
    {
        using var store = new CredentialStore(path, key: null, _log);
        return Assert.Single(await store.ReadAllAsync(CancellationToken.None)).Generation;
    }

    private async Task RefusedAsync(string path, string reason, string named)
    {
        using var store = new CredentialStore(path, key: null, _log);

        OAuthException refused = await Assert.ThrowsAsync<OAuthException>(() => store.OpenAsync(CancellationToken.None));

        Assert.Equal(OAuthFailure.Refused, refused.Failure);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }
}
