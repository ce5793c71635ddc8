using System.Diagnostics;
using System.Text;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>
/// Caches exchanged tokens by a digest of everything that the exchange depends on. Known tokens are returned at once. For an unknown one a single exchange is
/// made, however many requests wait for it.
/// </summary>
/// <remarks>
/// An entry is found only by the exact tokens that were exchanged; user names are never part of the key. A token in use is renewed before it expires, and the
/// old one is sent meanwhile.
/// </remarks>
internal sealed class ExchangeCache : IAsyncDisposable
{
    /// <summary>The longest time for which a failure is remembered.</summary>
    public static readonly TimeSpan FailureLifetime = TimeSpan.FromSeconds(5);

    /// <summary>How long a subject token is not sent again after the server asked for a step-up.</summary>
    public static readonly TimeSpan StepUpLifetime = TimeSpan.FromMinutes(5);

    /// <summary>The maximum number of exchanges that are in progress at a time.</summary>
    public const int MaxExchanges = 128;

    /// <summary>
    /// The maximum number of exchanges that wait until another one has ended, for example after a restart with many callers. The cache has no room for more
    /// tokens anyway.
    /// </summary>
    public const int MaxWaiting = TokenCache<ExchangedToken>.Capacity;

    /// <summary>
    /// The longest time that an exchange waits until it may start. With the time for the exchange itself it is below the 60 s after which MCP clients commonly
    /// give up.
    /// </summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>The shortest pause before a renewal is tried again that could not start because too many exchanges were waiting.</summary>
    private static readonly TimeSpan MinPause = TimeSpan.FromSeconds(1);

    /// <summary>Entries per set. With 16, a thousand callers practically never overflow one.</summary>
    private const int Ways = 16;

    /// <summary>The field that carries the new token. Never changes.</summary>
    private readonly string _field;

    /// <summary>The digest of everything that an exchange depends on except the tokens. Never changes.</summary>
    private readonly TokenDigest _request;

    /// <summary>Exchanges one token. Never changes.</summary>
    private readonly TokenExchanger _exchanger;

    /// <summary>Turns a failed exchange into the answer to a request. Never changes.</summary>
    private readonly ExchangeFailures _failures;

    /// <summary>The clock for expiry times and waits. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs each exchange, by the digest of its request. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Counts exchanges, hits and joins. Never changes.</summary>
    private readonly ExchangeMetrics _metrics;

    /// <summary>The exchanged tokens.</summary>
    private readonly TokenCache<ExchangedToken> _tokens = new(Ways);

    /// <summary>Recent failures. Kept separately, so that a failure never evicts a token.</summary>
    private readonly TokenCache<FailedExchange> _failed = new(Ways);

    /// <summary>The exchanges in progress, and those that wait until they may start. Never changes.</summary>
    private readonly Flights<ExchangeFlight, CredentialResult> _flights;

    /// <summary>Cancelled on disposal; ends every exchange.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <param name="policy">The exchange policy.</param>
    /// <param name="exchanger">Exchanges one token. It is disposed of together with this object.</param>
    /// <param name="clock">The clock for expiry times and waits.</param>
    /// <param name="logger">Logs each exchange.</param>
    /// <param name="metrics">Counts exchanges, hits and joins.</param>
    /// <param name="limits">The limits for exchanges in progress and waiting; null for the constants above.</param>
    public ExchangeCache(
        TokenExchangePolicy policy, TokenExchanger exchanger, TimeProvider clock, ILogger logger, ExchangeMetrics metrics, FlightLimits? limits = null)
    {
        _field = policy.FieldName ?? "Authorization";
        _request = TokenDigest.Of(Encoding.UTF8.GetBytes(exchanger.Fingerprint));
        _exchanger = exchanger;
        _failures = new ExchangeFailures(policy.Subject.IsCaller, exchanger.Endpoint, logger, clock);
        _clock = clock;
        _logger = logger;
        _metrics = metrics;
        _flights = new Flights<ExchangeFlight, CredentialResult>(limits ?? new FlightLimits(MaxExchanges, MaxWaiting, MaxWait), RefuseTurn, clock);
    }

    /// <summary>Finds a token in memory. On the request path: takes no lock, and allocates nothing unless the token is due for renewal.</summary>
    /// <param name="subject">The token to exchange; not empty.</param>
    /// <param name="actor">The actor's token; empty if there is none.</param>
    /// <param name="memo">The memo of the client connection.</param>
    /// <returns>The line to send; null if there is none.</returns>
    public CredentialLine? Find(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor, ref ExchangeMemo memo)
    {
        Debug.Assert(!subject.IsEmpty, "A lookup needs a subject token.");
        long now = _clock.GetUtcNow().UtcTicks;
        ExchangedToken? known = memo.Last;
        if (known is null || !known.IsFor(subject, actor) || !known.IsLive(now))
        {
            known = _tokens.Find(DigestOf(subject, actor), now, epoch: 0);
            memo.Last = known;
        }

        if (known is null)
        {
            return null;
        }

        _metrics.Hit();
        if (known.Use(now))
        {
            _ = Join(known.Digest, new ExchangeInput(subject.ToArray(), actor.ToArray()) { SubjectEndsAt = known.SubjectEndsAt }, known);
        }

        return known.Line;
    }

    /// <summary>Exchanges a token that <see cref="Find"/> does not know. One exchange is made, however many requests carry the token.</summary>
    /// <param name="input">The tokens.</param>
    /// <param name="before">
    /// The tokens before the last renewal of the login. The token that was exchanged for them is returned as long as it is valid, while the new one is
    /// exchanged in the background. Null if there are none, or if that token must not be sent.
    /// </param>
    /// <param name="cancellationToken">Ends the wait of this request. The exchange continues for the others.</param>
    public async ValueTask<CredentialResult> ObtainAsync(ExchangeInput input, ExchangeInput? before, CancellationToken cancellationToken)
    {
        Debug.Assert(input.Subject.Length > 0, "An exchange needs a subject token.");
        TokenDigest digest = DigestOf(input.Subject, input.Actor);
        long now = _clock.GetUtcNow().UtcTicks;
        if (_tokens.Find(digest, now, epoch: 0) is { } known)
        {
            return CredentialResult.Ready(known.Line);
        }

        FailedExchange? failed = _failed.Find(digest, now, epoch: 0);

        // If the server cannot be reached, the token from before the renewal may still be sent. If it has refused the new token, the old one must not be sent
        // either.
        bool isOpen = failed is null || failed.Result.Fault is FaultReason.ExchangeUnavailable;
        if (isOpen && before is not null && _tokens.Find(DigestOf(before.Subject, before.Actor), now, epoch: 0) is { } old)
        {
            if (failed is null)
            {
                _ = Join(digest, input, renewed: null);
            }

            return CredentialResult.Ready(old.Line);
        }

        return failed is not null
            ? failed.Result
            : await Join(digest, input, renewed: null).Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Called when the upstream has refused a token. If the token is older than five seconds, it is not sent any more. A younger one stays in use, since a new
    /// one would most likely be refused too, and every request would cause another exchange.
    /// </summary>
    /// <returns>Whether another exchange may be made.</returns>
    public bool TryReplace(ExchangedToken refused)
    {
        // A start time in the future means that the clock was set back, so the token is not young.
        if (_clock.GetUtcNow().UtcTicks - refused.StartTicks is >= 0 and var age && age <= FailureLifetime.Ticks)
        {
            return false;
        }

        refused.End();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _exchanger.Dispose();
    }

    private TokenDigest DigestOf(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) =>
        TokenDigest.Of(_request, TokenDigest.Of(subject), TokenDigest.Of(actor));

    private ExchangeFlight Join(in TokenDigest digest, ExchangeInput input, ExchangedToken? renewed)
    {
        ExchangeFlight flight = _flights.Join(digest, new ExchangeFlight(input, renewed), ExchangeAsync, out bool isOwn);
        if (isOwn)
        {
            return flight;
        }

        if (renewed is null)
        {
            _metrics.Joined();
        }

        // If another exchange was joined that began before this token was known, the token is not renewed by it. So renewing it may be tried again later.
        renewed?.RenewLater((_clock.GetUtcNow() + FailureLifetime).UtcTicks);
        return flight;
    }

    /// <summary>
    /// Refuses an exchange that could not start because too many were waiting. The failure is not remembered, since a later request may succeed.
    /// </summary>
    private CredentialResult RefuseTurn(TokenDigest digest, ExchangeFlight flight)
    {
        if (flight.Renewed is { } due)
        {
            // The renewal starts before the token expires. The token is used meanwhile.
            long now = _clock.GetUtcNow().UtcTicks;
            due.RenewLater(now + Math.Clamp((due.ExpiresAtTicks - now) / 2, MinPause.Ticks, FailureLifetime.Ticks));
        }

        return _failures.TellNoTurn(digest);
    }

    private async Task<CredentialResult> ExchangeAsync(TokenDigest digest, ExchangeFlight flight)
    {
        if (_tokens.Find(digest, _clock.GetUtcNow().UtcTicks, epoch: 0) is { } known && known != flight.Renewed)
        {
            return CredentialResult.Ready(known.Line); // exchanged after this request looked it up
        }

        ExchangeAnswer answer = await AskAsync(flight.Input).ConfigureAwait(false);
        _metrics.Exchanged(ExchangeFailures.NameOf(answer.End));
        return answer.End is ExchangeVerdict.Issued ? Keep(digest, flight.Input, answer) : Fail(digest, flight, answer);
    }

    private async Task<ExchangeAnswer> AskAsync(ExchangeInput input)
    {
        try
        {
            string? actor = input.Actor.Length == 0 ? null : Encoding.ASCII.GetString(input.Actor);
            return await _exchanger.ExchangeAsync(Encoding.ASCII.GetString(input.Subject), actor, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            // The message of an unexpected exception may quote a token, so only its type is logged.
            return new ExchangeAnswer(ExchangeVerdict.Unavailable, $"it could not be asked ({fault.GetType().Name})");
        }
    }

    private CredentialResult Keep(in TokenDigest digest, ExchangeInput input, ExchangeAnswer answer)
    {
        var token = new ExchangedToken(digest, input, $"Bearer {answer.Token}", _field, SpanOf(input, answer));
        _tokens.Add(token, _clock.GetUtcNow().UtcTicks);
        _logger.TokenExchanged(_exchanger.Endpoint, digest.ToString(), new DateTimeOffset(token.ExpiresAtTicks, TimeSpan.Zero));
        return CredentialResult.Ready(token.Line);
    }

    /// <summary>
    /// Computes how long the token is sent: until it or the subject's token expires, less a margin. A renewal is useful only if the subject's token is valid
    /// for longer.
    /// </summary>
    private static ExchangeSpan SpanOf(ExchangeInput input, ExchangeAnswer answer)
    {
        DateTimeOffset claimedEnd = JwtLifetime.EndOf(input.Subject) ?? DateTimeOffset.MaxValue;
        DateTimeOffset subjectEnd = input.SubjectEndsAt is { } told && told < claimedEnd ? told : claimedEnd;
        DateTimeOffset end = subjectEnd < answer.ExpiresAt ? subjectEnd : answer.ExpiresAt;
        DateTimeOffset endOfUse = RenewalSchedule.EndOfUse(answer.IssuedAt, end)!.Value;
        long renewTicks = end < subjectEnd ? RenewalSchedule.DueAt(answer.IssuedAt, end).UtcTicks : long.MaxValue;
        return new ExchangeSpan(answer.IssuedAt.UtcTicks, renewTicks, endOfUse.UtcTicks);
    }

    private CredentialResult Fail(in TokenDigest digest, ExchangeFlight flight, ExchangeAnswer answer)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        TimeSpan lifetime = answer.End is ExchangeVerdict.StepUpNeeded ? StepUpLifetime : FailureLifetime;
        CredentialResult result = _failures.Tell(digest, answer);
        _failed.Add(new FailedExchange(digest, result, now.UtcTicks, (now + lifetime).UtcTicks), now.UtcTicks);
        flight.Renewed?.RenewLater((now + lifetime).UtcTicks);
        return result;
    }

    /// <summary>One exchange in progress.</summary>
    /// <param name="input">The tokens.</param>
    /// <param name="renewed">The token that the exchange renews; null if it renews none.</param>
    private sealed class ExchangeFlight(ExchangeInput input, ExchangedToken? renewed) : Flight<CredentialResult>
    {
        public ExchangeInput Input => input;

        public ExchangedToken? Renewed => renewed;
    }
}
