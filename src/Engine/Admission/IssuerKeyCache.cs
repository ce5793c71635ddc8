using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>The issuer's keys as they are now: fetched ahead, refreshed in the background, and at once when a token names a key that is not known.</summary>
/// <param name="fetch">Gets the JWK set. It bounds its own time and size, and says with an <see cref="IOException"/> that it could not.</param>
/// <param name="clock">Ages and pauses go by it.</param>
/// <param name="logger">Told of failures and of changed keys.</param>
internal sealed class IssuerKeyCache(Func<CancellationToken, Task<ReadOnlyMemory<byte>>> fetch, TimeProvider clock, ILogger logger) : IAsyncDisposable
{
    /// <summary>Least time between two fetches that tokens cause: a client that sends made-up key ids must not aim the proxy at its issuer.</summary>
    public static readonly TimeSpan RefetchPause = TimeSpan.FromSeconds(5);

    /// <summary>How often keys are fetched without a token that asks for them, so that a withdrawn key is noticed.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(15);

    /// <summary>How soon after a failure the background tries again.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long keys are used without the issuer having confirmed them.</summary>
    /// <remarks>An outage of a night does no harm, a forgotten proxy does not trust for ever.</remarks>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    private readonly Lock _gate = new();

    /// <summary>Bounds how often a failure to fetch is told.</summary>
    private readonly RepeatedLines _lines = new(logger, clock);

    private readonly CancellationTokenSource _stopping = new();
    private volatile Snapshot? _snapshot;
    private volatile bool _lastFetchFailed = true;
    private Task _fetching = Task.CompletedTask;
    private Task _refreshing = Task.CompletedTask;
    private long? _lastAskedFor;
    private Action? _withdrawn;

    private IssuerKeySet Current =>
        _snapshot is { } snapshot && clock.GetElapsedTime(snapshot.FetchedAt) < MaxAge ? snapshot.Keys : IssuerKeySet.Empty;

    /// <summary>Names what to do when a key is no longer published. Set before <see cref="Start"/>.</summary>
    public void OnWithdrawn(Action withdrawn) => _withdrawn = withdrawn;

    /// <summary>Begins the background refresh, with a first fetch at once.</summary>
    public void Start() => _refreshing = RefreshAsync();

    /// <summary>Finds the keys for a token's header, with a fetch if that could make a difference.</summary>
    public async ValueTask<KeyLookup> FindAsync(string? keyId, string algorithm, CancellationToken cancellationToken)
    {
        IReadOnlyList<SecurityKey> keys = Current.Find(keyId, algorithm);

        // Twice, because the first may have joined a fetch that began before the key was published.
        for (int attempt = 0; attempt < 2 && keys.Count == 0; attempt++)
        {
            await RefetchAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            keys = Current.Find(keyId, algorithm);
        }

        if (keys.Count > 0)
        {
            return new KeyLookup(keys, null);
        }

        // Whether the issuer has such a key can only be said when the issuer has been heard.
        TokenVerdict refusal = _lastFetchFailed
            ? TokenVerdict.Unavailable("keys-unavailable", (int)RefetchPause.TotalSeconds)
            : TokenVerdict.Invalid("unknown-key", clock.GetUtcNow() + UntilNextRefetch());
        return new KeyLookup(keys, refusal);
    }

    /// <summary>Fetches anew, where that is allowed now, for a token that no known key fits.</summary>
    /// <returns>Whether other keys are known than before.</returns>
    public async Task<bool> TryRenewAsync(CancellationToken cancellationToken)
    {
        IssuerKeySet before = Current;
        await RefetchAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        return !before.HasSameKeysAs(Current);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _refreshing.ConfigureAwait(false);
    }

    /// <summary>Joins the fetch that is running, or begins one where the pause is over; else nothing.</summary>
    private Task RefetchAsync()
    {
        lock (_gate)
        {
            if (_fetching.IsCompleted && UntilNextRefetch() <= TimeSpan.Zero)
            {
                _lastAskedFor = clock.GetTimestamp();
                _fetching = FetchAsync();
            }

            return _fetching;
        }
    }

    private TimeSpan UntilNextRefetch() =>
        _lastAskedFor is { } last ? RefetchPause - clock.GetElapsedTime(last) : TimeSpan.Zero;

    private async Task RefreshAsync()
    {
        try
        {
            while (true)
            {
                Task fetching;
                lock (_gate)
                {
                    fetching = _fetching.IsCompleted ? _fetching = FetchAsync() : _fetching;
                }

                await fetching.ConfigureAwait(false);
                await Task.Delay(_lastFetchFailed ? RetryInterval : RefreshInterval, clock, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy stops.
        }
    }

    private async Task FetchAsync()
    {
        try
        {
            ReadOnlyMemory<byte> json = await fetch(_stopping.Token).ConfigureAwait(false);

            // Socket completions may run inline, and what follows here, with all who wait for it, must not run on a thread that serves sockets.
            await Task.Yield();
            Publish(IssuerKeySet.Parse(json));
        }
        catch (IOException fault)
        {
            _lastFetchFailed = true;
            if (_lines.MayWrite(LogLevel.Warning, "signing keys could not be fetched"))
            {
                logger.KeysNotFetched(PlainText.OfMessage(fault.Message));
            }
        }
        catch (OperationCanceledException)
        {
            _lastFetchFailed = true;
        }
    }

    private void Publish(IssuerKeySet keys)
    {
        IssuerKeySet before = Current;
        _snapshot = new Snapshot(keys, clock.GetTimestamp());
        _lastFetchFailed = false;
        if (!keys.HasSameKeysAs(before))
        {
            logger.KeysChanged();
        }

        if (before.HasLostAKeyIn(keys))
        {
            _withdrawn?.Invoke();
        }
    }

    private sealed record Snapshot(IssuerKeySet Keys, long FetchedAt);
}
