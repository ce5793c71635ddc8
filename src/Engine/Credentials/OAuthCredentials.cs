using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>
/// A credential source for tokens that are obtained by OAuth. Decides for each request whether to send it, let it wait, send it again, or answer it with 503.
/// </summary>
internal sealed class OAuthCredentials : UpstreamCredentials
{
    /// <summary>The longest time that a request waits for a token. After that the client gets 503, and the attempt to obtain the token continues.</summary>
    /// <remarks>MCP clients commonly give up after 60 s. They should get the proxy's answer before that.</remarks>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(45);

    // The maximum number of times that a request is sent again. After that, the client gets 503 if the upstream answers 401, and the upstream's own answer if
    // it is 403.
    private const int MaxReplays = 3;

    /// <summary>How tokens are obtained. Never changes.</summary>
    private readonly OAuthPolicy _policy;

    /// <summary>The upstream. Never changes.</summary>
    private readonly Uri _target;

    /// <summary>Signs in at the target's authorization server, which it finds if the operator has not named it. The lifecycle disposes of it.</summary>
    private readonly AuthorizationClient _client;

    /// <summary>Holds the token and makes the attempts to obtain one. Valid until disposed of.</summary>
    private readonly TokenLifecycle _lifecycle;

    /// <summary>Measures waits. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Whether requests need a token: the upstream has asked for one, or the sign-in at the start has failed. Never reset.</summary>
    private volatile bool _isWanted;

    /// <summary>The last DPoP nonce that the upstream has sent for proofs; null before it has sent one (RFC 9449 §8).</summary>
    private volatile string? _nonce;

    public OAuthCredentials(
        OAuthPolicy policy, Uri target, CredentialScope scope, AuthorizationClient client, TimeProvider clock, ILogger logger)
        : base(scope)
    {
        _policy = policy;
        _target = target;
        _client = client;
        _lifecycle = new TokenLifecycle(policy, target, scope, client, clock, logger);
        _clock = clock;
    }

    public override CredentialLine? Current => _lifecycle.Current;

    public override bool ProvesEachRequest => _policy.DPoP;

    public override bool IsUnasked => Current is null && !_isWanted && !_lifecycle.IsAtWork;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Without a path in the target's URL, and without a server that the operator has named, only a 401 shows which resource needs a token. So the
            // sign-in waits for the first 401.
            bool signsIn = _client.KnowsServer || _target.AbsolutePath.Length > 1;
            await _lifecycle.StartAsync(signsIn, cancellationToken).ConfigureAwait(false);
            _isWanted |= _lifecycle.Pause is not null; // the sign-in at the start has failed, so requests must not be sent without a token
        }
        catch (OAuthException failure)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }

    public override async ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        if (Current is null)
        {
            if (IsUnasked || !Scope.Concerns(request.Url))
            {
                return CredentialResult.PassThrough;
            }

            if (!await EndsInTimeAsync(_lifecycle.RestoreAsync(), cancellationToken).ConfigureAwait(false))
            {
                return StillAtIt();
            }

            if (Current is null && (Scope.Resource is null || _lifecycle.AsksForNothing))
            {
                return CredentialResult.PassThrough; // the store has no credential, and the upstream has not asked for one
            }
        }

        return await ReadyAsync(request).ConfigureAwait(false);
    }

    public override ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
    {
        if (IsAnothers(challenge))
        {
            return new(CredentialResult.PassThrough);
        }

        _isWanted |= challenge.Status == 401;
        _nonce = challenge.DPoPNonce ?? _nonce;
        if (challenge.Attempt >= MaxReplays)
        {
            return new(StaticBearer.Refused(challenge));
        }

        Challenge? asked = challenge.Asked;
        return (challenge.Status, asked?.Error) switch
        {
            (401, "use_dpop_nonce") when challenge.DPoPNonce is not null && challenge.Used is not null => ReadyAsync(challenge.Request),
            (401, _) => AnswerUnauthorizedAsync(challenge, asked, cancellationToken),
            (403, "insufficient_scope") => AnswerInsufficientAsync(challenge, asked!, cancellationToken),
            _ => new(CredentialResult.PassThrough),
        };
    }

    public override ValueTask DisposeAsync() => _lifecycle.DisposeAsync();

    /// <summary>Whether a 401 or 403 has nothing to do with this credential: it asks for another kind of credential, or comes from another resource.</summary>
    /// <remarks>
    /// Servers of older MCP revisions answer 401 without a challenge. Such a 401 counts only once it is certain which resource the credential is for.
    /// </remarks>
    private bool IsAnothers(UpstreamChallenge challenge)
    {
        bool isWithoutWord = challenge is { Status: 401, Asked: null } && !Scope.IsSettled;
        bool isLate = _lifecycle.IsAtWork && !Scope.Concerns(challenge.Request.Url);
        return challenge.AsksForAnother || isWithoutWord || isLate;
    }

    private async ValueTask<CredentialResult> AnswerUnauthorizedAsync(UpstreamChallenge challenge, Challenge? asked, CancellationToken cancellationToken)
    {
        if (!_lifecycle.IsNewerThan(challenge.Used))
        {
            if (!await EndsInTimeAsync(_lifecycle.ReplaceAsync(challenge, asked), cancellationToken).ConfigureAwait(false))
            {
                return StillAtIt();
            }

            if (!Scope.Concerns(challenge.Request.Url))
            {
                return CredentialResult.PassThrough; // another resource asked first, so the credential is for that one
            }

            if (!_lifecycle.IsNewerThan(challenge.Used))
            {
                return _lifecycle.Pause ?? StaticBearer.Refused(challenge);
            }
        }

        return await ReadyAsync(challenge.Request).ConfigureAwait(false);
    }

    private async ValueTask<CredentialResult> AnswerInsufficientAsync(UpstreamChallenge challenge, Challenge asked, CancellationToken cancellationToken)
    {
        if (!await EndsInTimeAsync(_lifecycle.StepUpAsync(challenge, asked), cancellationToken).ConfigureAwait(false))
        {
            return StillAtIt();
        }

        return _lifecycle.IsNewerThan(challenge.Used) ? await ReadyAsync(challenge.Request).ConfigureAwait(false) : CredentialResult.PassThrough;
    }

    private async ValueTask<CredentialResult> ReadyAsync(UpstreamRequest request)
    {
        if (Current is not null && !Scope.Covers(request.Url))
        {
            return CredentialResult.PassThrough;
        }

        if (Current is not { Token: HeldCredential held } line)
        {
            return _lifecycle.Pause
                ?? CredentialResult.Unavailable(TimeSpan.FromSeconds(5), "credential-ended", "The proxy's credential has expired and is being renewed.");
        }

        if (!ProvesEachRequest)
        {
            return CredentialResult.Ready(line);
        }

        string? nonce = _nonce;
        string token = held.Tokens.AccessToken;
#pragma warning disable RS0030 // A signature takes tens of microseconds, which is too long for the thread that serves the sockets.
        string proof = await Task.Run(() => held.Key!.Prove(request.Method, request.Url, nonce, token)).ConfigureAwait(false);
#pragma warning restore RS0030
        return CredentialResult.Ready(line.WithProof(proof));
    }

    /// <returns>Whether the attempt has ended within <see cref="MaxWait"/>. If not, it continues without this request.</returns>
    private async Task<bool> EndsInTimeAsync(Task attempt, CancellationToken cancellationToken)
    {
        try
        {
            await attempt.WaitAsync(MaxWait, _clock, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private CredentialResult StillAtIt() => _lifecycle.IsWaitingForPerson
        ? CredentialResult.Unavailable(
            TimeSpan.FromSeconds(5), "sign-in-pending", "The proxy waits until a person signs in; the address to open is in the proxy's log.")
        : CredentialResult.Unavailable(
            TimeSpan.FromSeconds(5), "credential-ended", "The proxy's credential is being renewed, which takes longer than a request may wait.");
}
