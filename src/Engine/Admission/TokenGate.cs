using System.Diagnostics.CodeAnalysis;
using System.Text;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>Decides about a token: at once if it is known, otherwise after one validation.</summary>
internal sealed class TokenGate : IAsyncDisposable
{
    /// <summary>Longest time a refusal is kept. It bounds how long a token stays refused after the reason has gone.</summary>
    public static readonly TimeSpan RefusalLifetime = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait for a verdict: discovery and keys of a slow provider, with some to spare.</summary>
    public static readonly TimeSpan DecisionTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Most distinct tokens looked at at a time, beside introspected ones (<see cref="IntrospectionValidator.Lane"/>).</summary>
    /// <remarks>
    /// Those that wait for another key than the known ones have a bound within it (<see cref="IssuerKeyCache.MaxWaiting"/>), so that an issuer that hangs
    /// leaves three quarters for tokens by known keys.
    /// </remarks>
    public const int MaxPending = 512;

    /// <summary>Most distinct tokens that wait until they are looked at, as after a restart with many callers. Above it the answer is 503.</summary>
    public const int MaxWaiting = TokenCache<CachedVerdict>.Capacity;

    /// <summary>Longest wait until a token is looked at. A signature takes microseconds, so what waits for longer waits for something that hangs.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    /// <summary>For the tokens that have the form of a JWT, and for all where there is no lane for others. Never changes.</summary>
    private readonly Lane _lane;

    /// <summary>For the tokens that have another form; null where one lane takes all. Never changes.</summary>
    private readonly Lane? _opaque;

    /// <summary>The keys that the validator uses; null if it uses none. Never changes.</summary>
    private readonly IssuerKeyCache? _keys;

    /// <summary>The clock for expiry. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs providers and validators that fail. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Bounds how often refusals and failures are told. Never changes.</summary>
    private readonly RepeatedLines _lines;

    /// <summary>Gets what a validator's cancellation callbacks throw. Never changes.</summary>
    private readonly HookFaults _hookFaults;

    /// <summary>The verdicts so far.</summary>
    private readonly TokenCache<CachedVerdict> _cache = new(ways: 4);

    /// <summary>Cancelled by the end, and with it every look.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Counts the withdrawals of keys: a verdict of an earlier epoch is void.</summary>
    private int _epoch;

    /// <param name="validator">Asked once per token, never on a socket's thread.</param>
    /// <param name="keys">The keys that <paramref name="validator"/> uses, where it uses any; the gate starts and ends them.</param>
    /// <param name="clock">Expiry goes by it.</param>
    /// <param name="logger">Told why tokens were refused.</param>
    public TokenGate(ITokenValidator validator, IssuerKeyCache? keys, TimeProvider clock, ILogger logger)
        : this(LaneOf(validator), opaque: null, keys, clock, logger)
    {
    }

    /// <param name="lane">For the tokens that have the form of a JWT, and for all where there is no lane for others.</param>
    /// <param name="opaque">For the tokens that have another form; null where one lane takes all.</param>
    /// <param name="keys">The keys that tokens are checked with, where there are any; the gate starts and ends them.</param>
    /// <param name="clock">Expiry goes by it.</param>
    /// <param name="logger">Told why tokens were refused.</param>
    public TokenGate(TokenLane lane, TokenLane? opaque, IssuerKeyCache? keys, TimeProvider clock, ILogger logger)
    {
        (_keys, _clock, _logger) = (keys, clock, logger);
        _lines = new RepeatedLines(logger, clock);
        _hookFaults = new HookFaults(logger, clock);
        _lane = new Lane(this, lane);
        _opaque = opaque is null ? null : new Lane(this, opaque);
        keys?.OnWithdrawn(Forget);
    }

    /// <summary>The lane of a validator that waits for nobody, and of a host's.</summary>
    public static TokenLane LaneOf(ITokenValidator validator) => new(validator, new FlightLimits(MaxPending, MaxWaiting, MaxWait), "too-many-pending");

    /// <summary>Begins to fetch keys, ahead of the first request. Returns at once and never fails: without keys the answer is 503 until they come.</summary>
    public void Start() => _keys?.Start();

    /// <summary>Decides from memory alone: never waits, allocates nothing.</summary>
    /// <param name="token">The token, as <see cref="BearerToken"/> gave it.</param>
    /// <param name="memo">The memo of the client connection.</param>
    /// <param name="verdict">The verdict if the answer is true.</param>
    /// <returns>False if the token has to be looked at: <see cref="DecideAsync"/>.</returns>
    public bool TryDecide(ReadOnlySpan<byte> token, ref TokenMemo memo, [NotNullWhen(true)] out TokenVerdict? verdict)
    {
        long nowTicks = _clock.GetUtcNow().UtcTicks;
        int epoch = Volatile.Read(ref _epoch);
        CachedVerdict? known = memo.Last;
        if (known is null || !known.IsAbout(token) || !known.IsLive(nowTicks, epoch))
        {
            known = _cache.Find(TokenDigest.Of(token), nowTicks, epoch);
            memo.Last = known;
        }

        verdict = known?.Verdict;
        return verdict is not null;
    }

    /// <summary>Looks at a token that <see cref="TryDecide"/> does not know, once however many requests carry it.</summary>
    /// <param name="token">Copied before the method returns; the buffer may go.</param>
    /// <param name="cancellationToken">Ends the wait of this request; the validation goes on for the others.</param>
    public async ValueTask<TokenVerdict> DecideAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        TokenDigest digest = TokenDigest.Of(token.Span);
        int epoch = Volatile.Read(ref _epoch);
        Look look = Join(digest, token.Span, out bool isOwn);
        TokenVerdict verdict = await look.Task.WaitAsync(cancellationToken).ConfigureAwait(false);

        // A flight that was under way before this request came may land with what has ceased to hold; the next one cannot.
        bool isOutdated = look.Epoch != epoch || (verdict.Kind is TokenVerdictKind.Admitted && verdict.ReusableUntil <= _clock.GetUtcNow());
        return isOwn || !isOutdated
            ? verdict
            : await Join(digest, look.Token, out _).Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Voids every verdict so far: a key that may have signed one of the tokens holds no longer.</summary>
    public void Forget() => Interlocked.Increment(ref _epoch);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_keys is not null)
        {
            await _keys.DisposeAsync().ConfigureAwait(false);
        }
    }

    private Look Join(TokenDigest digest, ReadOnlySpan<byte> token, out bool isOwn)
    {
        isOwn = false;
        Lane lane = _opaque is null || JwtHeader.IsJwt(token) ? _lane : _opaque;
        return lane.Pending.TryFind(digest, out Look? known)
            ? known

            // The epoch is read before the keys are: a verdict by keys that are withdrawn meanwhile is void from the start.
            : lane.Pending.Join(digest, new Look(token.ToArray(), Volatile.Read(ref _epoch)), lane.DecideAsync, out isOwn);
    }

    private async Task<TokenVerdict> DecideOnceAsync(ITokenValidator validator, TokenDigest digest, Look look)
    {
        if (_cache.Find(digest, _clock.GetUtcNow().UtcTicks, look.Epoch) is { } known)
        {
            // The token was settled between this request's look-up and its turn.
            return known.Verdict;
        }

        TokenVerdict verdict = await AskAsync(validator, look.Token).ConfigureAwait(false);
        TellRefusal(verdict);
        Keep(digest, look, verdict);
        return verdict;
    }

    private void TellRefusal(TokenVerdict verdict)
    {
        if (verdict.Kind is TokenVerdictKind.Unavailable && _lines.MayWrite(LogLevel.Warning, "tokens could not be checked:", verdict.Reason))
        {
            _logger.NoVerdict(PlainText.Of(verdict.Reason));
        }
        else if (verdict.Kind is TokenVerdictKind.InvalidToken or TokenVerdictKind.InsufficientScope
            && _lines.MayWrite(LogLevel.Information, "tokens refused:", verdict.Reason))
        {
            _logger.TokenRefused(verdict.Kind, PlainText.Of(verdict.Reason));
        }
    }

    private void Keep(TokenDigest digest, Look look, TokenVerdict verdict)
    {
        if (verdict.Kind is TokenVerdictKind.Unavailable)
        {
            return;
        }

        DateTimeOffset now = _clock.GetUtcNow();
        long expiresAtTicks = verdict.ReusableUntil.UtcTicks;
        if (verdict.Kind is not TokenVerdictKind.Admitted)
        {
            expiresAtTicks = Math.Min(expiresAtTicks, (now + RefusalLifetime).UtcTicks);
        }

        _cache.Add(new CachedVerdict(digest, look.Token, verdict, now.UtcTicks, expiresAtTicks, look.Epoch), now.UtcTicks);
    }

    /// <summary>There is no place for a token, or it has waited too long. Nothing is kept of it: a request that comes later may find a place.</summary>
    private TokenVerdict RefuseTurn(TokenVerdict overflow)
    {
        TellRefusal(overflow);
        return overflow;
    }

    private async Task<TokenVerdict> AskAsync(ITokenValidator validator, byte[] token)
    {
        using var ending = new HookCancellation(_hookFaults, DecisionTimeout, _clock, _stopping.Token);
        try
        {
            string text = Encoding.ASCII.GetString(token);
            return await validator.ValidateAsync(text, ending.Token).AsTask().WaitAsync(ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return TokenVerdict.Unavailable("provider-too-slow", retryAfterSeconds: 5);
        }
        catch (IOException fault)
        {
            if (_lines.MayWrite(LogLevel.Warning, "the identity provider could not be asked"))
            {
                _logger.ProviderNotAsked(PlainText.OfMessage(fault.Message));
            }

            return TokenVerdict.Unavailable("provider-unreachable", retryAfterSeconds: 5);
        }
        catch (Exception fault)
        {
            // The text of such an exception is not ours and might hold the token, so only its type is written.
            string type = fault.GetType().ToString();
            if (_lines.MayWrite(LogLevel.Error, "tokens could not be checked", type))
            {
                _logger.TokenNotChecked(type);
            }

            return TokenVerdict.Unavailable("validator-failed", retryAfterSeconds: 5);
        }
    }

    /// <summary>One lane at work.</summary>
    private sealed class Lane
    {
        public Lane(TokenGate gate, TokenLane lane)
        {
            TokenVerdict overflow = TokenVerdict.Unavailable(lane.Overflow, retryAfterSeconds: 1);
            Pending = new Flights<Look, TokenVerdict>(lane.Limits, (_, _) => gate.RefuseTurn(overflow), gate._clock);
            DecideAsync = (digest, look) => gate.DecideOnceAsync(lane.Validator, digest, look);
        }

        /// <summary>The tokens that are being looked at, and those that wait for it, each with those who wait for the verdict.</summary>
        public Flights<Look, TokenVerdict> Pending { get; }

        /// <summary>Looks at one token.</summary>
        public Func<TokenDigest, Look, Task<TokenVerdict>> DecideAsync { get; }
    }

    /// <summary>One token being looked at.</summary>
    private sealed class Look(byte[] token, int epoch) : Flight<TokenVerdict>
    {
        public byte[] Token => token;

        public int Epoch => epoch;
    }
}
