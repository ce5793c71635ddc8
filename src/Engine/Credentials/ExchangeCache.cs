using System.Diagnostics;
using System.Text;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Exchanged tokens by the digest of all that the exchange depends on: known ones at once, others by one exchange, however many wait for it.</summary>
/// <remarks>
/// What is found is what was exchanged for those very tokens; no name of a user has a part in it. A token is renewed ahead of its end when it is used, while
/// the old one goes on being sent.
/// </remarks>
internal sealed class ExchangeCache : IAsyncDisposable
{
    /// <summary>Longest time for which a failure is remembered.</summary>
    public static readonly TimeSpan FailureLifetime = TimeSpan.FromSeconds(5);

    /// <summary>For how long a token whose subject has to do something first is not shown again.</summary>
    public static readonly TimeSpan StepUpLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Most exchanges under way. Above it the answer is 503.</summary>
    public const int MaxPending = 512;

    /// <summary>Entries of a set: with 16, a set overflows only when the cache is nearly full.</summary>
    private const int Ways = 16;

    /// <summary>The field that carries the new token. Set for life.</summary>
    private readonly string _field;

    /// <summary>The digest of everything but the tokens. Set for life.</summary>
    private readonly TokenDigest _request;

    /// <summary>Exchanges one token. Set for life.</summary>
    private readonly TokenExchanger _exchanger;

    /// <summary>What a failed exchange means for a request. Set for life.</summary>
    private readonly ExchangeFailures _failures;

    /// <summary>Ends and waits go by it. Set for life.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Told of exchanges, by their digest. Set for life.</summary>
    private readonly ILogger _logger;

    /// <summary>Counts. Set for life.</summary>
    private readonly ExchangeTally _tally;

    /// <summary>The tokens there are.</summary>
    private readonly TokenCache<ExchangedToken> _tokens = new(Ways);

    /// <summary>What has failed lately. Kept apart, so that no failure ever takes the place of a token.</summary>
    private readonly TokenCache<FailedExchange> _failed = new(Ways);

    /// <summary>The exchanges under way.</summary>
    private readonly Flights<ExchangeFlight, CredentialResult> _flights = new(MaxPending, CredentialResult.Failed(FaultReason.ExchangeUnavailable));

    /// <summary>Cancelled by the end, and with it every exchange.</summary>
    private readonly CancellationTokenSource _stopping = new();

    public ExchangeCache(
        TokenExchangePolicy policy, TokenExchanger exchanger, TimeProvider clock, ILogger logger, ExchangeTally tally)
    {
        _field = policy.FieldName ?? "Authorization";
        _request = TokenDigest.Of(Encoding.UTF8.GetBytes(exchanger.Fingerprint));
        _exchanger = exchanger;
        _failures = new ExchangeFailures(policy.Subject.IsCaller, exchanger.Endpoint, logger, clock);
        _clock = clock;
        _logger = logger;
        _tally = tally;
    }

    /// <summary>Finds a token in memory. On the request path: takes no lock and allocates nothing, but where the token is due for renewal.</summary>
    /// <param name="subject">The token to exchange; not empty.</param>
    /// <param name="actor">The token of who acts for it; empty for nobody.</param>
    /// <param name="memo">The connection's own.</param>
    /// <returns>The line to send; null where there is none.</returns>
    public CredentialLine? Find(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor, ref ExchangeMemo memo)
    {
        Debug.Assert(!subject.IsEmpty, "No token is looked up for nobody.");
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

        _tally.Hit();
        if (known.Use(now))
        {
            _ = Join(known.Digest, new ExchangeInput(subject.ToArray(), actor.ToArray()), known);
        }

        return known.Line;
    }

    /// <summary>Exchanges a token that <see cref="Find"/> does not know, once however many requests carry it.</summary>
    /// <param name="input">The tokens.</param>
    /// <param name="cancellationToken">Ends the wait of this request; the exchange goes on for the others.</param>
    public async ValueTask<CredentialResult> ObtainAsync(ExchangeInput input, CancellationToken cancellationToken)
    {
        Debug.Assert(input.Subject.Length > 0, "No token is exchanged for nobody.");
        TokenDigest digest = DigestOf(input.Subject, input.Actor);
        long now = _clock.GetUtcNow().UtcTicks;
        if (_tokens.Find(digest, now, epoch: 0) is { } known)
        {
            return CredentialResult.Ready(known.Line);
        }

        return _failed.Find(digest, now, epoch: 0) is { } failed
            ? failed.Result
            : await Join(digest, input, renewed: null).Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The line of a token that is known, or null; where there is one the new tokens are exchanged in the background.</summary>
    /// <param name="old">The tokens as they were.</param>
    /// <param name="renewed">The tokens as they are.</param>
    public CredentialLine? Bridge(ExchangeInput old, ExchangeInput renewed)
    {
        long now = _clock.GetUtcNow().UtcTicks;
        TokenDigest digest = DigestOf(renewed.Subject, renewed.Actor);
        if (_tokens.Find(DigestOf(old.Subject, old.Actor), now, epoch: 0) is not { } known)
        {
            return null;
        }

        if (_failed.Find(digest, now, epoch: 0) is null)
        {
            _ = Join(digest, renewed, renewed: null);
        }

        return known.Line;
    }

    /// <summary>The upstream refuses a token: it is sent no more.</summary>
    /// <returns>Whether another may be had for it: not so soon after the last, as that would end the same way.</returns>
    public bool TryReplace(ExchangedToken refused)
    {
        refused.End();
        return _clock.GetUtcNow().UtcTicks - refused.StartTicks > FailureLifetime.Ticks;
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
        if (!isOwn && renewed is null)
        {
            _tally.Joined();
        }

        return flight;
    }

    private async Task<CredentialResult> ExchangeAsync(TokenDigest digest, ExchangeFlight flight)
    {
        if (_tokens.Find(digest, _clock.GetUtcNow().UtcTicks, epoch: 0) is { } known && known != flight.Renewed)
        {
            return CredentialResult.Ready(known.Line); // exchanged between this request's look-up and its turn
        }

        ExchangeAnswer answer = await AskAsync(flight.Input).ConfigureAwait(false);
        _tally.Exchanged(ExchangeFailures.NameOf(answer.End));
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
            // The text of an unexpected exception may quote what was being handled, so only its kind is told.
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

    /// <summary>It is sent until either token ends, less a margin. Only where the subject's outlives it does a renewal give more.</summary>
    private static ExchangeSpan SpanOf(ExchangeInput input, ExchangeAnswer answer)
    {
        DateTimeOffset subjectEnd = JwtLifetime.EndOf(input.Subject) ?? DateTimeOffset.MaxValue;
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
        _failed.Add(new FailedExchange(digest, result, (now + lifetime).UtcTicks), now.UtcTicks);
        flight.Renewed?.RenewLater((now + lifetime).UtcTicks);
        return result;
    }

    /// <summary>One exchange under way.</summary>
    /// <param name="input">The tokens.</param>
    /// <param name="renewed">The token that it is to take the place of; null for none.</param>
    private sealed class ExchangeFlight(ExchangeInput input, ExchangedToken? renewed) : Flight<CredentialResult>
    {
        public ExchangeInput Input => input;

        public ExchangedToken? Renewed => renewed;
    }
}
