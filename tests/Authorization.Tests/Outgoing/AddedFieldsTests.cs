using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>The lines of added fields: compiled once, and again as a whole when a file with a value changes.</summary>
public sealed class AddedFieldsTests : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly Browser _log = new();

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task LastFieldOfANameCounts()
    {
        await using AddedFields added = Open(AddedField.Of("X-A", "1"), AddedField.Of("X-B", "2"), AddedField.Of("x-a", "3"), AddedField.Of("X_B", "4"));

        Assert.Equal("x-a: 3\r\nX_B: 4\r\n", LinesOf(added));
    }

    [Fact]
    public void NoFieldsAreNothing() => Assert.Null(AddedFields.Open([], _clock, _log));

    [Fact]
    public async Task LinesAreReadWithoutAllocating()
    {
        await using AddedFields added = Open(AddedField.Of("X-A", "1"));
        _ = added.Lines;

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            _ = added.Lines;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task FileThatChangesTakesEffect()
    {
        await using AddedFields added = Open(AddedField.Of("X-A", "1"), AddedField.FromFile("X-Key", _folder.Write("key", " first \n")));
        Assert.Equal("X-A: 1\r\nX-Key: first\r\n", LinesOf(added));

        _folder.Write("key", "second");
        await PassUntilAsync(() => LinesOf(added) == "X-A: 1\r\nX-Key: second\r\n");

        await Patience.UntilAsync(() => _log.Lines.Any(line => line.Contains("X-Key has changed", StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.Lines, line => line.Contains("second", StringComparison.Ordinal) || line.Contains("first", StringComparison.Ordinal));
    }

    /// <summary>As a mounted secret changes: a link, by which all its files are found, comes to lead to another folder.</summary>
    [Fact]
    public async Task FilesThatChangeTogetherTakeEffectTogether()
    {
        string one = Directory.CreateDirectory(_folder.File("one")).FullName;
        string two = Directory.CreateDirectory(_folder.File("two")).FullName;
        foreach ((string folder, string value) in ((string, string)[])[(one, "1"), (two, "2")])
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "id"), value);
            await File.WriteAllTextAsync(Path.Combine(folder, "key"), value);
        }

        File.CreateSymbolicLink(_folder.File("now"), one);
        await using AddedFields added = Open(AddedField.FromFile("X-Id", _folder.File("now/id")), AddedField.FromFile("X-Key", _folder.File("now/key")));
        var seen = new HashSet<string> { LinesOf(added) };

        Directory.Delete(_folder.File("now")); // the link
        File.CreateSymbolicLink(_folder.File("now"), two);
        await PassUntilAsync(() => !seen.Add(LinesOf(added)) && seen.Count > 1);

        Assert.Equal(["X-Id: 1\r\nX-Key: 1\r\n", "X-Id: 2\r\nX-Key: 2\r\n"], seen);
    }

    [Theory]
    [InlineData(null, "cannot be read")]
    [InlineData("", "is empty")]
    [InlineData(" \n", "is empty")]
    [InlineData("hunter2\nX-Evil: 1", "has a line break in it")]
    [InlineData("hunter2\u0001x", "has a control character in it")]
    public async Task FileWithoutAValueLeavesTheLastInUseAndIsSaidOnce(string? content, string reason)
    {
        await using AddedFields added = Open(AddedField.FromFile("X-Key", _folder.Write("key", "first")));

        if (content is null)
        {
            File.Delete(_folder.File("key"));
        }
        else
        {
            _folder.Write("key", content);
        }

        await PassUntilAsync(() => Told().Length > 0);
        for (int i = 0; i < 10; i++)
        {
            _clock.Advance(Period);
        }

        Assert.Equal("X-Key: first\r\n", LinesOf(added));
        string line = Assert.Single(Told());
        Assert.Contains(reason, line, StringComparison.Ordinal);
        Assert.Contains(_folder.File("key"), line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);

        _folder.Write("key", "second");
        await PassUntilAsync(() => LinesOf(added) == "X-Key: second\r\n");

        string[] Told() => [.. _log.Lines.Where(told => told.Contains("could not be read again or cannot be used; the value read before stays in use", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task FilesThatBecomeTooLongTogetherLeaveTheLastValueInUse()
    {
        string large = new('v', AddedField.MaxValueLength);
        AddedField[] given = [.. Enumerable.Range(0, 3).Select(i => AddedField.Of($"X-{i}", large))];
        await using AddedFields added = Open([.. given, AddedField.FromFile("X-Key", _folder.Write("key", "first"))]);

        _folder.Write("key", large);
        await PassUntilAsync(() => _log.Lines.Any(line => line.Contains("longer than 32768 bytes", StringComparison.Ordinal)));
        Assert.EndsWith("X-Key: first\r\n", LinesOf(added), StringComparison.Ordinal);

        _folder.Write("key", "second");
        await PassUntilAsync(() => LinesOf(added).EndsWith("X-Key: second\r\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, "cannot be read")]
    [InlineData("", "is empty")]
    [InlineData("hunter2\r\nX: 1", "has a line break in it")]
    public void FileWithoutAValueAtTheStartIsRefused(string? content, string reason)
    {
        string path = content is null ? _folder.File("missing") : _folder.Write("key", content);

        ArgumentException refused = Assert.Throws<ArgumentException>(() => Open(AddedField.FromFile("X-Key", path)));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Contains("X-Key", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization", 1)]
    [InlineData("authorization", 1)]
    [InlineData("X-Authorization", 0)]
    public async Task AuthorizationIsSaid(string name, int lines)
    {
        await using AddedFields added = Open(AddedField.Of(name, "Basic hunter2"));

        Assert.Equal(lines, _log.Lines.Count(line => line.Contains("AddedFields has Authorization", StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.Lines, line => line.Contains("hunter2", StringComparison.Ordinal));
    }

    private static string LinesOf(AddedFields added) => Encoding.UTF8.GetString(added.Lines);

    private AddedFields Open(params AddedField[] fields)
    {
        AddedFields added = AddedFields.Open(fields, _clock, _log)!;
        added.Start();
        return added;
    }

    private Task PassUntilAsync(Func<bool> condition) => Patience.UntilAsync(() =>
    {
        _clock.Advance(Period);
        return condition();
    });
}
