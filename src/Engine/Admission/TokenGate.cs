using System.Diagnostics.CodeAnalysis;
using System.Text;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>Decides whether a token is accepted: at once if there is a cached verdict, otherwise after a validation.</summary>
internal sealed class TokenGate : IAsyncDisposable
{
    /// <summary>
    /// The longest time for which a refusal is cached. So if the reason for a refusal disappears, the token is accepted after at most this time.
    /// </summary>
    public static readonly TimeSpan RefusalLifetime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest time for one validation; then the response is 503. It is enough to fetch metadata and keys from a slow identity provider.
    /// </summary>
    public static readonly TimeSpan DecisionTimeout = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The maximum number of different tokens that are validated at the same time; further ones wait. Introspected tokens have a limit of their own
    /// (<see cref="IntrospectionValidator.MaxAsked"/>).
    /// </summary>
    /// <remarks>
    /// Only a quarter of these tokens may wait for unknown keys (<see cref="IssuerKeyCache.MaxWaiting"/>). So if the issuer does not answer, tokens with known
    /// keys are still validated.
    /// </remarks>
    public const int MaxPending = 512;

    /// <summary>
    /// The maximum number of different tokens that wait for their validation, for example after a restart with many callers. Further ones are answered with
    /// 503.
    /// </summary>
    public const int MaxWaiting = TokenCache<CachedVerdict>.Capacity;

    /// <summary>
    /// The longest time that a token waits for its validation to begin; then the response is 503. Checking a signature takes microseconds, so a longer wait
    /// means that the issuer or the host program's validator does not answer.
    /// </summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The lane (a validator with a queue) for tokens that have the form of a JWT, or for all tokens if <c>_opaque</c> is null. Never changes.
    /// </summary>
    private readonly Lane _lane;

    /// <summary>
    /// The lane (a validator with a queue) for tokens that do not have the form of a JWT; null if <c>_lane</c> is for all tokens. Never changes.
    /// </summary>
    private readonly Lane? _opaque;

    /// <summary>The issuer's signing keys, which the validator uses; null if the validator uses none. Never changes.</summary>
    private readonly IssuerKeyCache? _keys;

    /// <summary>The clock for expiry. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs refusals, and failures of identity providers and validators. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Limits how often refusals and failures are logged. Never changes.</summary>
    private readonly RepeatedLines _lines;

    /// <summary>Logs exceptions of callbacks that a validator has registered on its cancellation token. Never changes.</summary>
    private readonly HookFaults _hookFaults;

    /// <summary>The cached verdicts, by the hash of the token.</summary>
    private readonly TokenCache<CachedVerdict> _cache = new(ways: 4);

    /// <summary>Cancelled when the gate is disposed of, to cancel all validations.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>1 once <see cref="Start"/> has been called; 0 before.</summary>
    private int _started;

    /// <summary>How many times the issuer has withdrawn keys. A verdict from a time when this number was lower is no longer valid.</summary>
    private int _epoch;

    /// <param name="validator">Validates a token. It is called only if there is no cached verdict, and never on a thread that serves sockets.</param>
    /// <param name="keys">The keys that <paramref name="validator"/> uses; null if it uses none. The gate starts and disposes of them.</param>
    /// <param name="clock">The clock for expiry.</param>
    /// <param name="logger">Gets the reasons why tokens are refused.</param>
    public TokenGate(ITokenValidator validator, IssuerKeyCache? keys, TimeProvider clock, ILogger logger)
        : this(LaneOf(validator), opaque: null, keys, clock, logger)
    {
    }

    /// <param name="lane">Validates tokens that have the form of a JWT, or all tokens if <paramref name="opaque"/> is null.</param>
    /// <param name="opaque">Validates tokens that do not have the form of a JWT; null if <paramref name="lane"/> validates all tokens.</param>
    /// <param name="keys">The keys with which signatures are verified; null if there are none. The gate starts and disposes of them.</param>
    /// <param name="clock">The clock for expiry.</param>
    /// <param name="logger">Gets the reasons why tokens are refused.</param>
    public TokenGate(TokenLane lane, TokenLane? opaque, IssuerKeyCache? keys, TimeProvider clock, ILogger logger)
    {
        (_keys, _clock, _logger) = (keys, clock, logger);
        _lines = new RepeatedLines(logger, clock);
        _hookFaults = new HookFaults(logger, clock);
        _lane = new Lane(this, lane);
        _opaque = opaque is null ? null : new Lane(this, opaque);
        keys?.OnWithdrawn(Forget);
    }

    /// <summary>Creates a lane (a validator with a queue) for a validator that checks signatures, or for the host program's own validator.</summary>
    public static TokenLane LaneOf(ITokenValidator validator) => new(validator, new FlightLimits(MaxPending, MaxWaiting, MaxWait), "too-many-pending");

    /// <summary>
    /// Begins to fetch the issuer's keys, before the first request comes. Returns at once and does not throw. A request that comes before there are keys waits
    /// for the fetch; if the fetch fails or takes too long, the response is 503.
    /// </summary>
    /// <remarks>Only the first call has an effect.</remarks>
    public void Start()
    {
        if (_keys is not null && Volatile.Read(ref _started) == 0 && Interlocked.Exchange(ref _started, 1) == 0)
        {
            _keys.Start();
        }
    }

    /// <summary>Looks for a cached verdict. Never waits, and allocates nothing.</summary>
    /// <param name="token">The token, from <see cref="BearerToken.Read"/>.</param>
    /// <param name="memo">The cache entry that the client's connection has used last. This method updates it.</param>
    /// <param name="verdict">The verdict if the method returns true.</param>
    /// <returns>False if the token must be validated with <see cref="DecideAsync"/>.</returns>
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

    /// <summary>
    /// Validates a token that has no cached verdict. If many requests have the same token at the same time, it is validated once for all of them.
    /// </summary>
    /// <param name="token">The token. It is copied before the method returns.</param>
    /// <param name="cancellationToken">Ends the wait of this request. The validation continues, since other requests may wait for it.</param>
    public async ValueTask<TokenVerdict> DecideAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        TokenDigest digest = TokenDigest.Of(token.Span);
        int epoch = Volatile.Read(ref _epoch);
        Look look = Join(digest, token.Span, out bool isOwn);
        TokenVerdict verdict = await look.Task.WaitAsync(cancellationToken).ConfigureAwait(false);

        // This request may have joined a validation that had begun earlier. If its verdict is no longer valid, the token is validated once more. The second
        // validation begins after this request, so its verdict counts in any case.
        bool isOutdated = look.Epoch != epoch || (verdict.Kind is TokenVerdictKind.Admitted && verdict.ReusableUntil <= _clock.GetUtcNow());
        return isOwn || !isOutdated
            ? verdict
            : await Join(digest, look.Token, out _).Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes all cached verdicts invalid. Called when a key is withdrawn that may have signed one of the tokens.</summary>
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

            // The epoch is read before the validator uses the keys. So if keys are withdrawn during the validation, its verdict is not used from the cache.
            : lane.Pending.Join(digest, new Look(token.ToArray(), Volatile.Read(ref _epoch)), lane.DecideAsync, out isOwn);
    }

    private async Task<TokenVerdict> DecideOnceAsync(ITokenValidator validator, TokenDigest digest, Look look)
    {
        if (_cache.Find(digest, _clock.GetUtcNow().UtcTicks, look.Epoch) is { } known)
        {
            // Between this request's look-up in the cache and the start of its validation, the validation for another request has ended.
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

    /// <summary>
    /// Logs and returns the verdict on a token that cannot wait, or has waited too long. It is not cached, since a later request may succeed.
    /// </summary>
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
            // The message of an unexpected exception may contain the token, so only the exception's type is logged.
            string type = fault.GetType().ToString();
            if (_lines.MayWrite(LogLevel.Error, "tokens could not be checked", type))
            {
                _logger.TokenNotChecked(type);
            }

            return TokenVerdict.Unavailable("validator-failed", retryAfterSeconds: 5);
        }
    }

    /// <summary>A lane (a validator with a queue), with its running and waiting validations.</summary>
    private sealed class Lane
    {
        public Lane(TokenGate gate, TokenLane lane)
        {
            TokenVerdict overflow = TokenVerdict.Unavailable(lane.Overflow, retryAfterSeconds: 1);
            Pending = new Flights<Look, TokenVerdict>(lane.Limits, (_, _) => gate.RefuseTurn(overflow), gate._clock);
            DecideAsync = (digest, look) => gate.DecideOnceAsync(lane.Validator, digest, look);
        }

        /// <summary>The running and waiting validations, each with the requests that wait for its verdict.</summary>
        public Flights<Look, TokenVerdict> Pending { get; }

        /// <summary>Validates one token, and caches the verdict.</summary>
        public Func<TokenDigest, Look, Task<TokenVerdict>> DecideAsync { get; }
    }

    /// <summary>The running or waiting validation of one token; a task with the verdict.</summary>
    private sealed class Look(byte[] token, int epoch) : Flight<TokenVerdict>
    {
        public byte[] Token => token;

        public int Epoch => epoch;
    }
}
