using System.Diagnostics;
using System.Text;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>
/// Caches exchanged tokens. The key is a digest of everything that the exchange depends on. A cached token is returned at once. For a token that is not cached,
/// only one exchange is made, however many requests wait for it.
/// </summary>
/// <remarks>
/// An entry is found only by the exact tokens that were exchanged; user names are never part of the key. A token that is in use is renewed before it expires,
/// and is sent until the new one has come.
/// </remarks>
internal sealed class ExchangeCache : IAsyncDisposable
{
    /// <summary>How long a failed exchange is not tried again, except after a step-up was asked for (<see cref="StepUpLifetime"/>).</summary>
    public static readonly TimeSpan FailureLifetime = TimeSpan.FromSeconds(5);

    /// <summary>How long a subject's token is not sent to the authorization server again after that server has asked for a step-up.</summary>
    public static readonly TimeSpan StepUpLifetime = TimeSpan.FromMinutes(5);

    /// <summary>The maximum number of exchanges that run at a time. Further ones wait.</summary>
    public const int MaxExchanges = 128;

    /// <summary>
    /// The maximum number of exchanges that wait for a running one to end, for example after a restart with many callers. Further ones are refused. The cache
    /// has no room for more tokens anyway.
    /// </summary>
    public const int MaxWaiting = TokenCache<ExchangedToken>.Capacity;

    /// <summary>
    /// The longest time that an exchange waits until it may start; after that it is refused. MCP clients commonly give up after 60 s. This time and the time
    /// for the exchange itself are shorter together.
    /// </summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>If a renewal could not start because too many exchanges were waiting, it is tried again after this pause at the earliest.</summary>
    private static readonly TimeSpan MinPause = TimeSpan.FromSeconds(1);

    /// <summary>The number of entries in each set of the set-associative cache. With 16, a set practically never overflows with a thousand callers.</summary>
    private const int Ways = 16;

    /// <summary>The name of the header field that carries the new token. Never changes.</summary>
    private readonly string _field;

    /// <summary>The digest of everything in a request for an exchange except the tokens. Never changes.</summary>
    private readonly TokenDigest _request;

    /// <summary>Sends the requests to the authorization server. Never changes.</summary>
    private readonly TokenExchanger _exchanger;

    /// <summary>Turns a failed exchange into the answer to a request. Never changes.</summary>
    private readonly ExchangeFailures _failures;

    /// <summary>The clock for expiry times and waits. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs each exchange, identified by the digest of its request. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>The counters of token exchanges, of tokens found in the cache, and of requests that joined a running exchange.</summary>
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
    /// <param name="exchanger">Sends the requests to the authorization server. It is disposed of together with this object.</param>
    /// <param name="clock">The clock for expiry times and waits.</param>
    /// <param name="logger">Logs each exchange.</param>
    /// <param name="metrics">Counts exchanges, tokens found in the cache, and requests that joined a running exchange.</param>
    /// <param name="limits">The limits for running and waiting exchanges; null for the constants above.</param>
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

    /// <summary>
    /// Finds an exchanged token in the cache. On the request path: takes no lock and allocates nothing, except when the token is due for renewal, which then
    /// starts in the background.
    /// </summary>
    /// <param name="subject">The token to exchange; not empty.</param>
    /// <param name="actor">The actor's token; empty if there is none.</param>
    /// <param name="memo">The last token that was found for the client connection. It is updated.</param>
    /// <returns>The header line to send; null if the cache has no token.</returns>
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

    /// <summary>Exchanges a token that <see cref="Find"/> has not found. Only one exchange is made, however many requests carry the token.</summary>
    /// <param name="input">The tokens.</param>
    /// <param name="before">
    /// The tokens that the proxy's own sign-in had before its last renewal. If the token that was obtained in exchange for them is still valid, it is returned,
    /// and the new tokens are exchanged in the background. Null if there are no such tokens, or if the token that was obtained for them must not be sent.
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

        // If the authorization server cannot be reached, the token from before the renewal may still be sent. If the server has refused the new token, the old
        // one must not be sent either.
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
    /// Called when the upstream has refused a token. If the token was issued more than <see cref="FailureLifetime"/> ago, it is not sent any more. A younger
    /// one stays in use: a new one would most likely be refused too, and every request would cause another exchange.
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

        // The exchange was started by another request, perhaps before this token was in the cache. Then it does not renew the token, so a later request may
        // start a renewal.
        renewed?.RenewLater((_clock.GetUtcNow() + FailureLifetime).UtcTicks);
        return flight;
    }

    /// <summary>
    /// Returns the answer for an exchange that could not start: too many were waiting, or it has waited too long. This failure is not remembered, since the
    /// next request may succeed.
    /// </summary>
    private CredentialResult RefuseTurn(TokenDigest digest, ExchangeFlight flight)
    {
        if (flight.Renewed is { } due)
        {
            // The token is still valid and stays in use. The renewal is tried again after half of the remaining time, but after at least MinPause and at most
            // FailureLifetime.
            long now = _clock.GetUtcNow().UtcTicks;
            due.RenewLater(now + Math.Clamp((due.ExpiresAtTicks - now) / 2, MinPause.Ticks, FailureLifetime.Ticks));
        }

        return _failures.TellNoTurn(digest);
    }

    private async Task<CredentialResult> ExchangeAsync(TokenDigest digest, ExchangeFlight flight)
    {
        if (_tokens.Find(digest, _clock.GetUtcNow().UtcTicks, epoch: 0) is { } known && known != flight.Renewed)
        {
            return CredentialResult.Ready(known.Line); // another exchange has cached it since this request looked for it
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
    /// Computes how long the new token is sent: until it or the subject's token expires, less a margin. It is renewed before that only if the subject's token
    /// is valid for longer than the new one.
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
    /// <param name="renewed">The cached token that the exchange renews; null if there is none.</param>
    private sealed class ExchangeFlight(ExchangeInput input, ExchangedToken? renewed) : Flight<CredentialResult>
    {
        public ExchangeInput Input => input;

        public ExchangedToken? Renewed => renewed;
    }
}
