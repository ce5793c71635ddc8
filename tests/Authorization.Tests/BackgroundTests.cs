using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Authorization.Tests.Incoming;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests;

/// <summary>Nothing ends what runs in the background: neither what a peer sends, nor a file, nor a logger.</summary>
public sealed class BackgroundTests
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddYears(50));

    public static TheoryData<Exception> Faults => [.. Exceptions.OfEveryKind];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task KeysAreFetchedAgainWhateverTheFetchThrew(Exception fault)
    {
        int fetches = 0;
        byte[] good = Encoding.ASCII.GetBytes(TestKey.SetOf([TestKey.Curve("key-1", "P-256")]));
        await using var keys = new IssuerKeyCache(_ => ++fetches == 1 ? throw fault : Task.FromResult<ReadOnlyMemory<byte>>(good), _clock, NullLogger.Instance);

        keys.Start();
        await Patience.UntilAsync(() =>
        {
            _clock.Advance(IssuerKeyCache.RetryInterval);
            return fetches >= 2;
        });

        Assert.Single((await keys.FindAsync("key-1", "ES256", default)).Keys);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task KeysAreFetchedAgainWhateverTheLoggerThrew(Exception fault)
    {
        int fetches = 0;
        await using var keys = new IssuerKeyCache(
            _ =>
            {
                fetches++;
                throw new IOException();
            },
            _clock,
            new Thrower(fault));

        keys.Start();
        await Patience.UntilAsync(() =>
        {
            _clock.Advance(IssuerKeyCache.RetryInterval);
            return fetches >= 3;
        });
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task RenewalIsTriedAgainWhateverItThrew(Exception fault)
    {
        int renewals = 0;
        RenewalTimer? self = null;
        await using var timer = new RenewalTimer(
            _clock,
            () =>
            {
                self!.Set(null);
                return ++renewals == 1 ? Task.FromException(fault) : Task.CompletedTask;
            },
            NullLogger.Instance);
        self = timer;
        timer.Set(_clock.GetUtcNow() + TimeSpan.FromHours(1));

        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, renewals);
        _clock.Advance(Supervised.FirstPause);

        Assert.Equal(2, renewals);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task BearerFileIsReadAgainWhateverWasThrown(Exception fault)
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("token", "first");
        var log = new Thrower(fault);
        await using UpstreamCredentials source = UpstreamCredentials.For(OutgoingPolicy.BearerFile(file), new Uri("https://mcp.example/mcp"), _clock, log);
        await source.StartAsync(CancellationToken.None);
        File.Delete(file);
        await Patience.UntilAsync(() =>
        {
            _clock.Advance(Supervised.MaxPause);
            return log.Lines > 0;
        });

        folder.Write("token", "second");
        await Patience.UntilAsync(() =>
        {
            _clock.Advance(Supervised.MaxPause);
            return Encoding.ASCII.GetString(source.Current!.Bytes.Span) == "Authorization: Bearer second\r\n";
        });
    }

    private sealed class Thrower(Exception fault) : ILogger
    {
        private int _lines;

        public int Lines => Volatile.Read(ref _lines);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Interlocked.Increment(ref _lines);
            throw fault;
        }
    }
}
