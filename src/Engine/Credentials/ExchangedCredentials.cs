using System.Diagnostics;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Credentials;

/// <summary>A token that was exchanged for another: for the one with which each caller comes, or for that of a login.</summary>
internal sealed class ExchangedCredentials : UpstreamCredentials
{
    /// <summary>Least time between two renewals of the login for the exchange's sake.</summary>
    private static readonly TimeSpan MinLoginInterval = TimeSpan.FromSeconds(30);

    /// <summary>What takes part as subject or actor besides the caller; null where nothing does. Set for life.</summary>
    private readonly UpstreamCredentials? _login;

    /// <summary>Gives the actor's token; the login, or another. Null where nobody acts for the subject. Set for life.</summary>
    private readonly UpstreamCredentials? _acting;

    /// <summary>The subject's token; null where it is the caller's. Set for life.</summary>
    private readonly ShownToken? _subject;

    /// <summary>The actor's token; null where nobody acts for the subject. Set for life.</summary>
    private readonly ShownToken? _actor;

    /// <summary>Whether an ID token is to be exchanged. Set for life.</summary>
    private readonly bool _wantsIdToken;

    /// <summary>The tokens that were exchanged.</summary>
    private readonly ExchangeCache _cache;

    /// <summary>Measures the time between renewals of the login. Set for life.</summary>
    private readonly TimeProvider _clock;

    /// <summary>UTC ticks at which the login was renewed for the exchange's sake; 0 for never.</summary>
    private long _renewedLoginAtTicks;

    /// <param name="policy">How.</param>
    /// <param name="scope">Which requests it is for; of a login, the login's.</param>
    /// <param name="login">The login that takes part; null where none does.</param>
    /// <param name="actor">What gives the actor's token, which may be the login; null where nobody acts for the subject.</param>
    /// <param name="cache">The tokens that were exchanged; disposed of with this.</param>
    /// <param name="clock">Measures.</param>
    public ExchangedCredentials(
        TokenExchangePolicy policy, CredentialScope scope, UpstreamCredentials? login, UpstreamCredentials? actor, ExchangeCache cache, TimeProvider clock)
        : base(scope)
    {
        _clock = clock;
        Debug.Assert(policy.Subject.IsCaller || login is not null, "Where it is not the caller's token there is a login.");
        _login = login;
        _acting = actor;
        _wantsIdToken = policy.Variant is TokenExchangeVariant.Rfc8693 exchange && exchange.SubjectTokenType == ExchangedTokenType.IdToken;
        _subject = policy.Subject.IsCaller ? null : new ShownToken(login!, _wantsIdToken);
        _actor = actor is null ? null : new ShownToken(actor, isIdToken: policy.Actor?.TokenType == ExchangedTokenType.IdToken);
        _cache = cache;
    }

    public override CredentialLine? Current => null;

    public override bool IsPerCaller => _subject is null;

    public override CredentialLine? CurrentFor(ReadOnlySpan<byte> caller, ref ExchangeMemo memo)
    {
        ReadOnlySpan<byte> subject = _subject is null ? caller : _subject.Current;
        ReadOnlySpan<byte> actor = _actor is null ? default : _actor.Current;
        bool isComplete = !subject.IsEmpty && (_actor is null || !actor.IsEmpty);
        return isComplete ? _cache.Find(subject, actor, ref memo) : null;
    }

    public override async ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        if (_login is null)
        {
            return await ExchangeAsync(request, login: null, cancellationToken).ConfigureAwait(false);
        }

        CredentialResult login = await _login.ObtainAsync(request, cancellationToken).ConfigureAwait(false);
        if (login.Line is not { } line)
        {
            return login;
        }

        CredentialResult result = await ExchangeAsync(request, line, cancellationToken).ConfigureAwait(false);
        if (!MayRenewLogin(result))
        {
            return result;
        }

        var refused = new UpstreamChallenge(request, Status: 401, WwwAuthenticate: [], DPoPNonce: null, line, Attempt: 0);
        CredentialResult renewed = await _login.RecoverAsync(refused, cancellationToken).ConfigureAwait(false);
        return renewed.Line is { } next ? await ExchangeAsync(request, next, cancellationToken).ConfigureAwait(false) : result;
    }

    public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
    {
        if (challenge.Used is null && _login is not null)
        {
            // It went out without a token, as nothing had asked for one.
            CredentialResult login = await _login.RecoverAsync(challenge, cancellationToken).ConfigureAwait(false);
            return login.Line is { } line ? await ExchangeAsync(challenge.Request, line, cancellationToken).ConfigureAwait(false) : login;
        }

        if (challenge.Status != 401 || challenge.AsksForAnother || challenge.Used is not { Token: ExchangedToken used })
        {
            return CredentialResult.PassThrough;
        }

        bool mayBeReplaced = _cache.TryReplace(used);
        return mayBeReplaced && challenge.Attempt == 0
            ? await ObtainAsync(challenge.Request, cancellationToken).ConfigureAwait(false)
            : StaticBearer.Refused(challenge);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await (_login?.StartAsync(cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
        if (_acting is not null && _acting != _login)
        {
            await _acting.StartAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync().ConfigureAwait(false);
        if (_login is not null)
        {
            await _login.DisposeAsync().ConfigureAwait(false);
        }

        if (_acting is not null && _acting != _login)
        {
            await _acting.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <param name="request">The request that the token is for.</param>
    /// <param name="login">The login's line; null where none takes part.</param>
    /// <param name="cancellationToken">Ends the wait of this request.</param>
    private async ValueTask<CredentialResult> ExchangeAsync(UpstreamRequest request, CredentialLine? login, CancellationToken cancellationToken)
    {
        byte[] subject = _subject is null ? (request.Caller ?? CallerToken.None).Bytes.ToArray() : _subject.Of(login!);
        if (subject.Length == 0)
        {
            // Before anything is looked up: what is found for nobody would be found for everybody.
            return _subject is null ? CredentialResult.Refused(RefusalReason.CredentialsMissing) : NothingToExchange();
        }

        byte[] actor = _actor is null ? [] : await ActorAsync(request, login, cancellationToken).ConfigureAwait(false);
        if (_actor is not null && actor.Length == 0)
        {
            return CredentialResult.Unavailable(TimeSpan.FromSeconds(5), "exchange-no-actor", "The proxy has no token of its own to act with.");
        }

        var input = new ExchangeInput(subject, actor);
        return Bridge(input) is { } line
            ? CredentialResult.Ready(line)
            : await _cache.ObtainAsync(input, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<byte[]> ActorAsync(UpstreamRequest request, CredentialLine? login, CancellationToken cancellationToken)
    {
        CredentialLine? line = _acting == _login ? login : (await _acting!.ObtainAsync(request, cancellationToken).ConfigureAwait(false)).Line;
        return line is null ? [] : _actor!.Of(line);
    }

    /// <summary>The login has been renewed: what was exchanged for its token before is sent until there is another.</summary>
    private CredentialLine? Bridge(ExchangeInput input)
    {
        byte[] subject = _subject is { Previous.Length: > 0 } renewed ? renewed.Previous : input.Subject;
        byte[] actor = _actor is { Previous.Length: > 0 } acting ? acting.Previous : input.Actor;
        return input.Is(subject, actor) ? null : _cache.Bridge(new ExchangeInput(subject, actor), input);
    }

    /// <summary>The server may know of a sign-in's end before the proxy does. The login is renewed for that once in a while, not for each request.</summary>
    private bool MayRenewLogin(in CredentialResult result)
    {
        long now = _clock.GetUtcNow().UtcTicks;
        long renewedAt = Volatile.Read(ref _renewedLoginAtTicks);
        return result.Code == ExchangeFailures.LoginRefused
            && now - renewedAt > MinLoginInterval.Ticks
            && Interlocked.CompareExchange(ref _renewedLoginAtTicks, now, renewedAt) == renewedAt;
    }

    private CredentialResult NothingToExchange() => CredentialResult.Unavailable(
        TimeSpan.FromSeconds(30),
        _wantsIdToken ? "exchange-no-id-token" : "exchange-no-bearer",
        _wantsIdToken
            ? "The proxy's sign-in gave no ID token to exchange; its operator has to ask for the scope openid."
            : "The proxy's own credential is no bearer token, so it cannot be exchanged.");
}
