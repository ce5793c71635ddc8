using System.Diagnostics;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Credentials;

/// <summary>A credential source that exchanges tokens: each caller's own token, or the token of the proxy's own sign-in (the login).</summary>
internal sealed class ExchangedCredentials : UpstreamCredentials
{
    /// <summary>If exchanges fail, the login is renewed at most once in this time.</summary>
    private static readonly TimeSpan MinLoginInterval = TimeSpan.FromSeconds(30);

    /// <summary>The proxy's own sign-in, whose token is the subject or the actor; null if there is none. Never changes.</summary>
    private readonly UpstreamCredentials? _login;

    /// <summary>The source of the actor's token: the login, or another credential such as a file. Null if there is no actor. Never changes.</summary>
    private readonly UpstreamCredentials? _acting;

    /// <summary>The login's token, if it is the subject; null if the caller's token is the subject. Never changes.</summary>
    private readonly ShownToken? _subject;

    /// <summary>The actor's token; null if there is no actor. Never changes.</summary>
    private readonly ShownToken? _actor;

    /// <summary>Whether an ID token is to be exchanged. Never changes.</summary>
    private readonly bool _wantsIdToken;

    /// <summary>The exchanged tokens. Never changes.</summary>
    private readonly ExchangeCache _cache;

    /// <summary>Measures the time between renewals of the login. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>The timestamp of the last renewal of the login that was made because an exchange had failed; 0 if there was none.</summary>
    private long _renewedLoginAt;

    /// <param name="policy">The exchange policy.</param>
    /// <param name="scope">Decides which requests get the token. If there is a login, it is the login's own scope.</param>
    /// <param name="login">The proxy's own sign-in, whose token is the subject or the actor; null if there is none.</param>
    /// <param name="actor">The source of the actor's token, which may be the login; null if there is no actor.</param>
    /// <param name="cache">The exchanged tokens. They are disposed of together with this object.</param>
    /// <param name="clock">Measures the time between renewals of the login.</param>
    public ExchangedCredentials(
        TokenExchangePolicy policy, CredentialScope scope, UpstreamCredentials? login, UpstreamCredentials? actor, ExchangeCache cache, TimeProvider clock)
        : base(scope)
    {
        _clock = clock;
        Debug.Assert(policy.Subject.IsCaller || login is not null, "A subject that is not the caller is a login.");
        _login = login;
        _acting = actor;
        _wantsIdToken = policy.Variant is TokenExchangeVariant.Rfc8693 exchange && exchange.SubjectTokenType == ExchangedTokenType.IdToken;
        _subject = policy.Subject.IsCaller ? null : new ShownToken(login!, _wantsIdToken);
        _actor = actor is null ? null : new ShownToken(actor, isIdToken: policy.Actor?.TokenType == ExchangedTokenType.IdToken);
        _cache = cache;
    }

    public override CredentialLine? Current => null;

    public override bool IsPerCaller => _subject is null;

    /// <summary>Whether no credential is needed yet: the proxy's own sign-in provides the subject's token, and the upstream has asked for none.</summary>
    public override bool IsUnasked => !IsPerCaller && _login!.IsUnasked;

    public override CredentialLine? CurrentFor(ReadOnlySpan<byte> caller, ref ExchangeMemo memo)
    {
        ReadOnlySpan<byte> subject = _subject is null ? caller : _subject.Current;
        ReadOnlySpan<byte> actor = _actor is null ? default : _actor.Current;
        bool isComplete = !subject.IsEmpty && (_actor is null || !actor.IsEmpty);
        return isComplete ? _cache.Find(subject, actor, ref memo) : null;
    }

    public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken) =>
        ObtainAsync(request, mayBeOld: true, cancellationToken);

    public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
    {
        if (challenge.Used is null && _login is not null)
        {
            // The request went out without a token, because the target had not asked for one.
            CredentialResult login = await _login.RecoverAsync(challenge, cancellationToken).ConfigureAwait(false);
            return login.Line is { } line
                ? await ExchangeAsync(challenge.Request, line, mayBeOld: true, cancellationToken).ConfigureAwait(false)
                : login;
        }

        if (challenge.Status != 401 || challenge.AsksForAnother || challenge.Used is not { Token: ExchangedToken used })
        {
            return CredentialResult.PassThrough;
        }

        bool mayBeReplaced = _cache.TryReplace(used);
        return mayBeReplaced && challenge.Attempt == 0
            ? await ObtainAsync(challenge.Request, mayBeOld: false, cancellationToken).ConfigureAwait(false)
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
    /// <param name="mayBeOld">The same as for <see cref="ExchangeAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait of this request.</param>
    private async ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, bool mayBeOld, CancellationToken cancellationToken)
    {
        if (_login is null)
        {
            return await ExchangeAsync(request, login: null, mayBeOld, cancellationToken).ConfigureAwait(false);
        }

        CredentialResult login = await _login.ObtainAsync(request, cancellationToken).ConfigureAwait(false);
        if (login.Line is not { } line)
        {
            return login;
        }

        CredentialResult result = await ExchangeAsync(request, line, mayBeOld, cancellationToken).ConfigureAwait(false);
        if (!MayRenewLogin(result))
        {
            return result;
        }

        var refused = new UpstreamChallenge(request, Status: 401, WwwAuthenticate: [], DPoPNonce: null, line, Attempt: 0);
        CredentialResult renewed = await _login.RecoverAsync(refused, cancellationToken).ConfigureAwait(false);
        return renewed.Line is { } next ? await ExchangeAsync(request, next, mayBeOld, cancellationToken).ConfigureAwait(false) : result;
    }

    /// <param name="request">The request that the token is for.</param>
    /// <param name="login">The login's credential line; null if there is no login.</param>
    /// <param name="mayBeOld">
    /// Used after the login has been renewed: whether the token from its previous exchange may be sent until the new exchange has ended. False if the upstream
    /// has refused that token.
    /// </param>
    /// <param name="cancellationToken">Ends the wait of this request.</param>
    private async ValueTask<CredentialResult> ExchangeAsync(
        UpstreamRequest request, CredentialLine? login, bool mayBeOld, CancellationToken cancellationToken)
    {
        CallerToken caller = request.Caller ?? CallerToken.None;
        byte[] subject = _subject is null ? caller.Bytes.ToArray() : _subject.Of(login!);
        if (subject.Length == 0)
        {
            // This is checked before the cache is searched. An entry for an empty subject would be shared by all callers that send no token.
            return _subject is null ? CredentialResult.Refused(RefusalReason.CredentialsMissing) : NothingToExchange();
        }

        CredentialLine? acting = await ActingAsync(request, login, cancellationToken).ConfigureAwait(false);
        byte[] actor = acting is null ? [] : _actor!.Of(acting);
        if (_actor is not null && actor.Length == 0)
        {
            return CredentialResult.Unavailable(TimeSpan.FromSeconds(5), "exchange-no-actor", "The proxy has no token of its own to send as actor_token.");
        }

        var input = new ExchangeInput(subject, actor) { SubjectEndsAt = _subject is null ? caller.EndsAt : null };
        return await _cache.ObtainAsync(input, mayBeOld ? Before(input, login, acting) : null, cancellationToken).ConfigureAwait(false);
    }

    /// <returns>The credential line with the actor's token; null if there is no actor, or the actor has no token now.</returns>
    private async ValueTask<CredentialLine?> ActingAsync(UpstreamRequest request, CredentialLine? login, CancellationToken cancellationToken) =>
        _acting is null ? null
            : _acting == _login ? login
            : (await _acting.ObtainAsync(request, cancellationToken).ConfigureAwait(false)).Line;

    /// <summary>Returns the tokens from before the last renewal of the login; null if the login has not been renewed.</summary>
    private ExchangeInput? Before(ExchangeInput input, CredentialLine? login, CredentialLine? acting)
    {
        byte[] subject = _subject?.BeforeOf(login!) is { Length: > 0 } renewed ? renewed : input.Subject;
        byte[] actor = acting is not null && _actor!.BeforeOf(acting) is { Length: > 0 } old ? old : input.Actor;
        return input.Is(subject, actor) ? null : new ExchangeInput(subject, actor);
    }

    /// <summary>
    /// Whether to renew the login after a failed exchange. The server may have ended the sign-in before its token expires. True at most once in
    /// <see cref="MinLoginInterval"/>.
    /// </summary>
    private bool MayRenewLogin(in CredentialResult result)
    {
        long renewedAt = Volatile.Read(ref _renewedLoginAt);
        return result.Code == ExchangeFailures.LoginRefused
            && (renewedAt == 0 || _clock.GetElapsedTime(renewedAt) > MinLoginInterval)
            && Interlocked.CompareExchange(ref _renewedLoginAt, _clock.GetTimestamp(), renewedAt) == renewedAt;
    }

    private CredentialResult NothingToExchange() => CredentialResult.Unavailable(
        TimeSpan.FromSeconds(30),
        _wantsIdToken ? "exchange-no-id-token" : "exchange-no-bearer",
        _wantsIdToken
            ? "The proxy's sign-in gave no usable ID token to exchange. The proxy's operator has to ask for the scope openid; "
                + "the debug log says if an ID token was ignored."
            : "The proxy's own credential is not a bearer token, so it cannot be exchanged.");
}
