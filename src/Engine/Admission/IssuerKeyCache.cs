using System.Diagnostics;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>The issuer's keys as they are now: fetched ahead, refreshed in the background, and at once when a token names a key that is not known.</summary>
internal sealed class IssuerKeyCache : IAsyncDisposable
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

    /// <summary>How long after its begin a fetch is overdue: tokens that need it are then answered without it, at once.</summary>
    public static readonly TimeSpan MaxFetchWait = TimeSpan.FromSeconds(5);

    /// <summary>Most tokens that wait for a fetch while there are keys, a quarter of what the gate looks at: the rest is for tokens by known keys.</summary>
    /// <remarks>While there are none, as after a start, all places are for those that wait: no other token could use one.</remarks>
    public const int MaxWaiting = TokenGate.MaxPending / 4;

    /// <summary>Gets the JWK set. Never changes.</summary>
    private readonly Func<CancellationToken, Task<ReadOnlyMemory<byte>>> _fetch;

    /// <summary>The clock for ages and pauses. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs failures and changed keys. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Bounds how often a failure to fetch is told. Never changes.</summary>
    private readonly RepeatedLines _lines;

    /// <summary>Fetches again and again. Idle until <see cref="Start"/>; ends when this is disposed of.</summary>
    private readonly Supervised _refresh;

    /// <summary>Cancelled when this is disposed of; that also cancels a fetch under way.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Held while a fetch is started, so that only one runs at a time. Guards the three fields below.</summary>
    private readonly Lock _gate = new();

    /// <summary>The fetch under way, or the last one.</summary>
    private Task _fetching = Task.CompletedTask;

    /// <summary>When that fetch began; valid once there has been one.</summary>
    private long _fetchingSince;

    /// <summary>When a token last caused a fetch; null before the first.</summary>
    private long? _lastAskedFor;

    /// <summary>The keys that the issuer published last, however long ago; null before the first fetch that succeeded.</summary>
    private volatile Snapshot? _snapshot;

    /// <summary>Whether the issuer was not heard the last time; true before the first.</summary>
    private volatile bool _lastFetchFailed = true;

    /// <summary>How many tokens wait for a fetch.</summary>
    private int _waiting;

    /// <summary>What is done when a key is no longer published; null until it is named.</summary>
    private Action? _withdrawn;

    /// <param name="fetch">Gets the JWK set. It bounds its own time and size, and says with an <see cref="IOException"/> that it could not.</param>
    /// <param name="clock">The clock for ages and pauses.</param>
    /// <param name="logger">Logs failures and changed keys.</param>
    public IssuerKeyCache(Func<CancellationToken, Task<ReadOnlyMemory<byte>>> fetch, TimeProvider clock, ILogger logger)
    {
        (_fetch, _clock, _logger) = (fetch, clock, logger);
        _lines = new RepeatedLines(logger, clock);
        _refresh = new Supervised("refresh of the signing keys", RefreshAsync, clock, logger);
    }

    /// <summary>The earliest moment at which a token may cause a fetch.</summary>
    public DateTimeOffset NextRefetch => _clock.GetUtcNow() + UntilNextRefetch();

    /// <summary>Names what to do when a key is no longer published. Set before <see cref="Start"/>.</summary>
    public void OnWithdrawn(Action withdrawn) => _withdrawn = withdrawn;

    /// <summary>Begins the background refresh, with a first fetch at once.</summary>
    public void Start() => _refresh.Begin();

    /// <summary>Finds the keys for a token's header, with a fetch if that could make a difference.</summary>
    public async ValueTask<KeyLookup> FindAsync(string? keyId, string algorithm, CancellationToken cancellationToken)
    {
        KeyLookup lookup = Find(keyId, algorithm);

        // Twice, because the first may have joined a fetch that began before the key was published.
        for (int attempt = 0; attempt < 2 && lookup.Keys.Count == 0; attempt++)
        {
            if (!await RefetchAsync(cancellationToken).ConfigureAwait(false))
            {
                return lookup with { Refusal = TokenVerdict.Unavailable("keys-overdue", (int)RefetchPause.TotalSeconds) };
            }

            lookup = Find(keyId, algorithm);
        }

        if (lookup.Keys.Count > 0)
        {
            return lookup;
        }

        // Whether the issuer has such a key can only be said when the issuer has been heard.
        return lookup with
        {
            Refusal = _lastFetchFailed
                ? TokenVerdict.Unavailable("keys-unavailable", (int)RefetchPause.TotalSeconds)
                : TokenVerdict.Invalid("unknown-key", NextRefetch),
        };
    }

    /// <summary>Fetches the keys again, if that is allowed now, for a token that none of the known keys has signed.</summary>
    /// <param name="used">The keys that were tried.</param>
    /// <param name="cancellationToken">Ends the wait, not the fetch.</param>
    /// <returns>Whether other keys are known than those.</returns>
    public async Task<bool> TryRenewAsync(IssuerKeySet used, CancellationToken cancellationToken) =>
        !used.HasSameKeysAs(Trusted.Keys)
        || (await RefetchAsync(cancellationToken).ConfigureAwait(false) && !used.HasSameKeysAs(Trusted.Keys));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _refresh.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The keys that may be used now, and until when.</summary>
    private (IssuerKeySet Keys, DateTimeOffset Until) Trusted
    {
        get
        {
            DateTimeOffset now = _clock.GetUtcNow();
            return _snapshot is { } snapshot && MaxAge - _clock.GetElapsedTime(snapshot.FetchedAt) is { Ticks: > 0 } left
                ? (snapshot.Keys, now + left)
                : (IssuerKeySet.Empty, now);
        }
    }

    private KeyLookup Find(string? keyId, string algorithm)
    {
        (IssuerKeySet keys, DateTimeOffset until) = Trusted;
        return new KeyLookup(keys.Find(keyId, algorithm), keys, until, Refusal: null);
    }

    /// <summary>Joins the fetch that is running, or begins one if the pause is over, and waits for it.</summary>
    /// <returns>False if it is overdue, or too many wait for it already.</returns>
    private async Task<bool> RefetchAsync(CancellationToken cancellationToken)
    {
        Task fetching;
        TimeSpan patience;
        lock (_gate)
        {
            if (_fetching.IsCompleted && UntilNextRefetch() <= TimeSpan.Zero)
            {
                _lastAskedFor = _clock.GetTimestamp();
                BeginFetch();
            }

            (fetching, patience) = (_fetching, MaxFetchWait - _clock.GetElapsedTime(_fetchingSince));
        }

        if (fetching.IsCompleted || patience <= TimeSpan.Zero)
        {
            return fetching.IsCompleted;
        }

        int places = Trusted.Keys == IssuerKeySet.Empty ? TokenGate.MaxPending : MaxWaiting;
        try
        {
            if (Interlocked.Increment(ref _waiting) > places)
            {
                return false;
            }

            await fetching.WaitAsync(patience, _clock, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private TimeSpan UntilNextRefetch() =>
        _lastAskedFor is { } last && RefetchPause - _clock.GetElapsedTime(last) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    private async Task<TimeSpan> RefreshAsync(CancellationToken stopping)
    {
        Task fetching;
        lock (_gate)
        {
            if (_fetching.IsCompleted)
            {
                BeginFetch();
            }

            fetching = _fetching;
        }

        await fetching.ConfigureAwait(false);
        return _lastFetchFailed ? RetryInterval : RefreshInterval;
    }

    private void BeginFetch()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread && _fetching.IsCompleted, "There is one fetch at a time.");
        _fetchingSince = _clock.GetTimestamp();
        _fetching = FetchAsync();
    }

    private async Task FetchAsync()
    {
        try
        {
            ReadOnlyMemory<byte> json = await _fetch(_stopping.Token).ConfigureAwait(false);

            // Socket completions may run inline, and what follows here, with all who wait for it, must not run on a thread that serves sockets.
            await Task.Yield();
            Publish(IssuerKeySet.Parse(json));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            _lastFetchFailed = true;
        }
        catch (Exception fault)
        {
            // Whatever the issuer sent. The text of an exception that nobody foresaw may quote it, so only its kind is told.
            _lastFetchFailed = true;
            string reason = fault is IOException ? fault.Message : $"What came could not be read ({fault.GetType().Name}).";
            if (_lines.MayWrite(LogLevel.Warning, "signing keys could not be fetched"))
            {
                _logger.KeysNotFetched(PlainText.OfMessage(reason));
            }
        }
    }

    private void Publish(IssuerKeySet keys)
    {
        // Also those that have aged out: a verdict by one that is no longer published must not come back with the rest.
        IssuerKeySet before = _snapshot?.Keys ?? IssuerKeySet.Empty;
        _snapshot = new Snapshot(keys, _clock.GetTimestamp());
        _lastFetchFailed = false;
        if (before.HasLostAKeyIn(keys))
        {
            _withdrawn?.Invoke();
        }

        if (!keys.HasSameKeysAs(before))
        {
            _logger.KeysChanged();
        }
    }

    private sealed record Snapshot(IssuerKeySet Keys, long FetchedAt);
}
