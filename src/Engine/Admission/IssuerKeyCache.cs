using System.Diagnostics;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>
/// Keeps an issuer's signing keys up to date: fetches them at the start, refreshes them in the background, and fetches them again when a token names an unknown
/// key.
/// </summary>
internal sealed class IssuerKeyCache : IAsyncDisposable
{
    /// <summary>
    /// The shortest time between two fetches that tokens cause. A client that sends invented key ids must not make the proxy flood the issuer with requests.
    /// </summary>
    public static readonly TimeSpan RefetchPause = TimeSpan.FromSeconds(5);

    /// <summary>How often the keys are fetched in the background, so that a withdrawn key is noticed.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(15);

    /// <summary>How soon after a failure the background refresh tries again.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long keys are used after the last successful fetch.</summary>
    /// <remarks>So an outage of the issuer for a night has no effect, but old keys are not trusted for ever.</remarks>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    /// <summary>How long a fetch may take before it counts as overdue. Tokens that need it are then answered at once, without it.</summary>
    public static readonly TimeSpan MaxFetchWait = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The maximum number of tokens that wait for a fetch while there are known keys: a quarter of what the gate checks at a time. The rest is reserved for
    /// tokens with known keys.
    /// </summary>
    /// <remarks>While no keys are known, for example after the start, all tokens may wait, since no other token could be checked.</remarks>
    public const int MaxWaiting = TokenGate.MaxPending / 4;

    /// <summary>Fetches the JWK set. Never changes.</summary>
    private readonly Func<CancellationToken, Task<ReadOnlyMemory<byte>>> _fetch;

    /// <summary>The clock for ages and pauses. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs failures and changed keys. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Limits how often failed fetches are logged. Never changes.</summary>
    private readonly RepeatedLines _lines;

    /// <summary>Runs the background refresh. It starts with <see cref="Start"/> and ends with the disposal.</summary>
    private readonly Supervised _refresh;

    /// <summary>Cancelled on disposal, which also cancels a running fetch.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>A lock that is held while a fetch is started, so that only one runs at a time. Guards the three fields below.</summary>
    private readonly Lock _gate = new();

    /// <summary>The running fetch, or the last one.</summary>
    private Task _fetching = Task.CompletedTask;

    /// <summary>When that fetch began (a timestamp); valid once there has been one.</summary>
    private long _fetchingSince;

    /// <summary>When a token last caused a fetch (a timestamp); null before the first.</summary>
    private long? _lastAskedFor;

    /// <summary>The keys of the last successful fetch, however long ago that was; null before the first.</summary>
    private volatile Snapshot? _snapshot;

    /// <summary>Whether the last fetch has failed; true before the first one has ended.</summary>
    private volatile bool _lastFetchFailed = true;

    /// <summary>How many tokens wait for a fetch.</summary>
    private int _waiting;

    /// <summary>Called when a key is no longer published; null before <see cref="OnWithdrawn"/>.</summary>
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
    public DateTimeOffset NextRefetch => _clock.GetUtcNow() + UntilNextRefetch();

    /// <summary>Sets what to call when a key is no longer published. Must be called before <see cref="Start"/>.</summary>
    public void OnWithdrawn(Action withdrawn) => _withdrawn = withdrawn;

    /// <summary>Starts the background refresh, with a first fetch at once.</summary>
    public void Start() => _refresh.Begin();

    /// <summary>Finds the keys for a token's header. If none is known, fetches the keys again if that is allowed now.</summary>
    public async ValueTask<KeyLookup> FindAsync(string? keyId, string algorithm, CancellationToken cancellationToken)
    {
        KeyLookup lookup = Find(keyId, algorithm);

        // Tried twice, because the first attempt may have joined a fetch that began before the key was published.
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

        // The token may be refused for an unknown key only if the issuer has just been asked successfully. Otherwise the key may exist.
        return lookup with
        {
            Refusal = _lastFetchFailed
                ? TokenVerdict.Unavailable("keys-unavailable", (int)RefetchPause.TotalSeconds)
                : TokenVerdict.Invalid("unknown-key", NextRefetch),
        };
    }

    /// <summary>Fetches the keys again, if that is allowed now, since none of the known keys has signed a token.</summary>
    /// <param name="used">The keys that were tried.</param>
    /// <param name="cancellationToken">Ends the wait, but not the fetch.</param>
    /// <returns>Whether the known keys differ from <paramref name="used"/> now.</returns>
    public async Task<bool> TryRenewAsync(IssuerKeySet used, CancellationToken cancellationToken) =>
        !used.HasSameKeysAs(Trusted.Keys)
        || (await RefetchAsync(cancellationToken).ConfigureAwait(false) && !used.HasSameKeysAs(Trusted.Keys));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _refresh.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The keys that may be used now, and until when they may be used.</summary>
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

    /// <summary>Joins the running fetch, or starts one if the pause is over, and waits for it.</summary>
    /// <returns>False if the fetch is overdue, or too many tokens wait for it already.</returns>
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

            // The completion of a socket may run code inline. The code below, and the code that waits for it, must not run on a thread that serves sockets.
            await Task.Yield();
            Publish(IssuerKeySet.Parse(json));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            _lastFetchFailed = true;
        }
        catch (Exception fault)
        {
            // Any exception is caught here, whatever the issuer has sent. The message of an unexpected one may quote that, so only its type is reported.
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
        // Expired keys are compared too: a verdict that is based on a key which is no longer published must not become valid again.
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
