using System.Diagnostics;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>
/// Keeps an issuer's signing keys up to date. It fetches them at the start and at intervals in the background, and also when a token names an unknown key.
/// </summary>
internal sealed class IssuerKeyCache : IAsyncDisposable
{
    /// <summary>
    /// The shortest time between two fetches that tokens cause. A client that sends invented key ids must not make the proxy flood the issuer with requests.
    /// </summary>
    public static readonly TimeSpan RefetchPause = TimeSpan.FromSeconds(5);

    /// <summary>How often the keys are fetched in the background, so that a withdrawn key is noticed.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(15);

    /// <summary>How long the background refresh waits after a failed fetch before it tries again.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long keys are used after the last successful fetch. Then no token can be checked until a fetch succeeds.</summary>
    /// <remarks>It is long enough for an outage of the issuer during a night, and old keys are still not trusted for ever.</remarks>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    /// <summary>How long tokens wait for a fetch. When it has taken longer, all tokens that need it are answered with 503 at once, until it ends.</summary>
    public static readonly TimeSpan MaxFetchWait = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The maximum number of tokens that wait for a fetch while some keys are known; further ones are answered with 503. It is a quarter of the number of
    /// tokens that the gate checks at the same time, so the other three quarters are left for tokens with known keys.
    /// </summary>
    /// <remarks>While no keys are known, for example after the start, all tokens of the gate may wait, since none of them could be checked.</remarks>
    public const int MaxWaiting = TokenGate.MaxPending / 4;

    /// <summary>Fetches the JWK set. Never changes.</summary>
    private readonly Func<CancellationToken, Task<ReadOnlyMemory<byte>>> _fetch;

    /// <summary>The clock for ages and pauses. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs failures and changed keys. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Limits how often failed fetches are logged. Never changes.</summary>
    private readonly RepeatedLines _lines;

    /// <summary>Runs the background refresh. It is started by <see cref="Start"/>, and ended when this object is disposed of.</summary>
    private readonly Supervised _refresh;

    /// <summary>Cancelled when this object is disposed of, to cancel a running fetch.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Held while a fetch is started, so that only one fetch runs at a time. Guards the next three fields.</summary>
    private readonly Lock _gate = new();

    /// <summary>The running fetch, or the last one that ended; a completed task before the first.</summary>
    private Task _fetching = Task.CompletedTask;

    /// <summary>When the fetch in <c>_fetching</c> began (a timestamp of the clock). Valid when there has been a fetch.</summary>
    private long _fetchingSince;

    /// <summary>When a token last caused a fetch (a timestamp of the clock); null if none has caused one.</summary>
    private long? _lastAskedFor;

    /// <summary>The keys of the last successful fetch, even if they are older than <see cref="MaxAge"/>; null if no fetch has succeeded yet.</summary>
    private volatile Snapshot? _snapshot;

    /// <summary>Whether the last fetch that ended has failed; true before the first fetch has ended.</summary>
    private volatile bool _lastFetchFailed = true;

    /// <summary>How many tokens wait for the running fetch.</summary>
    private int _waiting;

    /// <summary>Called when the issuer no longer publishes a key; null before <see cref="OnWithdrawn"/> has been called.</summary>
    private Action? _withdrawn;

    /// <param name="fetch">Fetches the JWK set. It limits its own time and size, and throws an <see cref="IOException"/> if it fails.</param>
    /// <param name="clock">The clock for ages and pauses.</param>
    /// <param name="logger">Logs failures and changed keys.</param>
    public IssuerKeyCache(Func<CancellationToken, Task<ReadOnlyMemory<byte>>> fetch, TimeProvider clock, ILogger logger)
    {
        (_fetch, _clock, _logger) = (fetch, clock, logger);
        _lines = new RepeatedLines(logger, clock);
        _refresh = new Supervised("refresh of the signing keys", RefreshAsync, clock, logger);
    }

    /// <summary>The earliest time at which a token may cause a fetch.</summary>
    public DateTimeOffset NextRefetch
    {
        get
        {
            lock (_gate)
            {
                return _clock.GetUtcNow() + UntilNextRefetch();
            }
        }
    }

    /// <summary>Sets the action that is called when the issuer no longer publishes a key. Must be called before <see cref="Start"/>.</summary>
    public void OnWithdrawn(Action withdrawn) => _withdrawn = withdrawn;

    /// <summary>Starts the background refresh, with a first fetch at once.</summary>
    public void Start() => _refresh.Begin();

    /// <summary>
    /// Finds the keys that fit a token's header. If there are none, waits for a running fetch, or fetches the keys again if <see cref="RefetchPause"/> is over.
    /// </summary>
    public async ValueTask<KeyLookup> FindAsync(string? keyId, string algorithm, CancellationToken cancellationToken)
    {
        KeyLookup lookup = Find(keyId, algorithm);

        // There are two attempts, because the first one may have waited for a fetch that began before the issuer published the key.
        for (int attempt = 0; attempt < 2 && lookup.Keys.Count == 0; attempt++)
        {
            bool isRefetched = await RefetchAsync(cancellationToken).ConfigureAwait(false);
            lookup = Find(keyId, algorithm); // also if the token could not wait: the keys may have come in the meantime
            if (!isRefetched && lookup.Keys.Count == 0)
            {
                return lookup with { Refusal = TokenVerdict.Unavailable("keys-overdue", (int)RefetchPause.TotalSeconds) };
            }
        }

        if (lookup.Keys.Count > 0)
        {
            return lookup;
        }

        // The token is refused for an unknown key only if the last fetch has succeeded. If it has failed, the issuer may have published the key meanwhile.
        return lookup with
        {
            Refusal = _lastFetchFailed
                ? TokenVerdict.Unavailable("keys-unavailable", (int)RefetchPause.TotalSeconds)
                : TokenVerdict.Invalid("unknown-key", NextRefetch),
        };
    }

    /// <summary>Called when no known key has verified a token. Fetches the keys again if <see cref="RefetchPause"/> is over.</summary>
    /// <param name="used">The set of the keys that were tried.</param>
    /// <param name="cancellationToken">Ends the wait, but not the fetch.</param>
    /// <returns>Whether the known keys now differ from <paramref name="used"/>, so that the token should be tried again.</returns>
    public async Task<bool> TryRenewAsync(IssuerKeySet used, CancellationToken cancellationToken)
    {
        if (used.HasSameKeysAs(Trusted.Keys))
        {
            await RefetchAsync(cancellationToken).ConfigureAwait(false);
        }

        return !used.HasSameKeysAs(Trusted.Keys);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _refresh.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The keys of the last successful fetch, and until when they may be used; no keys if they are older than <see cref="MaxAge"/>.</summary>
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

    /// <summary>
    /// Waits for the running fetch. If there is none, starts one if <see cref="RefetchPause"/> is over, and otherwise returns true at once.
    /// </summary>
    /// <returns>False if the fetch takes longer than <see cref="MaxFetchWait"/>, or too many tokens wait for it already.</returns>
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

            // When the answer has arrived, this may be a thread that serves sockets. The code below, and the code that waits for it, must run on another
            // thread.
            await Task.Yield();
            Publish(IssuerKeySet.Parse(json));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            _lastFetchFailed = true;
        }
        catch (Exception fault)
        {
            // Every exception is caught, since nothing that the issuer sends may end the refresh. The message of an unexpected exception may quote what the
            // issuer has sent, so only the exception's type is logged.
            _lastFetchFailed = true;
            string reason = fault is IOException ? fault.Message : $"The issuer's answer could not be read ({fault.GetType().Name}).";
            if (_lines.MayWrite(LogLevel.Warning, "signing keys could not be fetched"))
            {
                _logger.KeysNotFetched(PlainText.OfMessage(reason));
            }
        }
    }

    private void Publish(IssuerKeySet keys)
    {
        // The old keys are compared even if they have expired. Otherwise a cached verdict on a token of a withdrawn key could become valid again if the
        // system's clock is set back.
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
