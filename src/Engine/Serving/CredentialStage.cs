using System.Diagnostics;
using System.Text;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>
/// Chooses the credential that is sent to the upstream with one request. Waits for one if none is ready, and gets another if the upstream refuses it.
/// </summary>
internal sealed class CredentialStage
{
    /// <summary>The exchange's connection; valid between <see cref="Open"/> and <see cref="Clear"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>How often the credential source has been asked about a challenge to this request.</summary>
    private int _replays;

    /// <summary>The credential that the request is sent with; null if there is none.</summary>
    private CredentialLine? _line;

    /// <summary>When the caller's token expires; null before <see cref="NoteCaller"/>, or if the time is not known.</summary>
    private DateTimeOffset? _callerEndsAt;

    /// <summary>Whether a 401 or 403 to the request, as it was last sent, would be about the proxy's credential.</summary>
    private bool _mayBeAsked;

    /// <summary>Whether the request, as it was last sent, is for the resource that the credential is for.</summary>
    public bool IsForResource { get; private set; }

    private UpstreamCredentials? Source => _owner!.Parts.Credentials;

    /// <summary>Starts a new exchange on a connection.</summary>
    public void Open(ClientConnection owner)
    {
        Debug.Assert(_owner is null, "A stage is opened once it has been cleared.");
        _owner = owner;
    }

    public void Clear()
    {
        _owner = null;
        _replays = 0;
        _line = null;
        _callerEndsAt = null;
        _mayBeAsked = false;
        IsForResource = false;
    }

    /// <summary>Notes when the caller's token expires. Called before the token is exchanged for another.</summary>
    public void NoteCaller(TokenVerdict? verdict) => _callerEndsAt = verdict?.TokenEndsAt;

    /// <summary>
    /// The warm path: takes the credential if it is ready. Returns false if the request must wait in <see cref="PrepareAsync"/>, for a credential or for the
    /// rest of a small body. A request to a path that needs no credential does not wait, and no request waits for a credential before something has asked for
    /// one.
    /// </summary>
    public bool TryTake(RequestStream request)
    {
        if (Source is not { } source || !source.Scope.Concerns(PathOf(request, request.Redirect.To)))
        {
            return true;
        }

        ReadOnlySpan<byte> caller = default;
        if (source.IsPerCaller)
        {
            PresentedToken.Read(request.Head, out caller);
        }

        _line = source.ProvesEachRequest ? null : source.CurrentFor(caller, ref _owner!.ExchangeMemo);
        return !MustObtain(source) && !request.MayGather();
    }

    /// <summary>
    /// Returns the credential for the request's path, or for the path of a redirect; null if there is none, or the path is not in the credential's resource.
    /// </summary>
    public CredentialLine? LineFor(RequestStream request, ReadOnlyMemory<byte> redirectedTo)
    {
        if (Source is not { } source)
        {
            return null;
        }

        ReadOnlySpan<byte> path = PathOf(request, redirectedTo);
        IsForResource = source.Scope.Covers(path);
        _mayBeAsked = source.Scope.MayAsk(path);
        _line = IsForResource ? _line : null;
        return _line;
    }

    /// <summary>
    /// Waits for a credential if there is none, and until a small body has fully arrived, so that the request can be sent again if the upstream refuses the
    /// credential.
    /// </summary>
    public ValueTask<StageResult> PrepareAsync(RequestStream request) => MustObtain(Source!) ? ObtainAsync(request) : request.GatherAsync();

    private bool MustObtain(UpstreamCredentials source) => _line is null && !source.IsUnasked;

    /// <summary>The cold path: waits for a credential, because there is none yet.</summary>
    private async ValueTask<StageResult> ObtainAsync(RequestStream request)
    {
        RefusalReason refusal = Source!.IsPerCaller ? PresentedToken.Read(request.Head, out _) : RefusalReason.None;
        if (refusal is not RefusalReason.None)
        {
            return StageResult.Refuse(refusal);
        }

        StageResult gathered = await request.GatherAsync().ConfigureAwait(false);
        if (!gathered.GoesOn)
        {
            return gathered;
        }

        using SlowPathWait wait = _owner!.Interrupts.StartSlowPathWait();
        Note(request, request.Redirect.To);
        return Take(await WithoutCancelAsync(Source!.ObtainAsync(Describe(request.Noted), wait.Token)).ConfigureAwait(false), out _);
    }

    /// <summary>
    /// Copies the parts of the request that are needed if the upstream answers with a challenge: a pump may have released the request's bytes by the time it
    /// arrives. Allocates nothing.
    /// </summary>
    /// <param name="request">The request. No pump of it is running.</param>
    /// <param name="redirectedTo">The path and query of the redirect that was followed; empty if there was none.</param>
    public void Note(RequestStream request, ReadOnlyMemory<byte> redirectedTo)
    {
        ReadOnlySpan<byte> caller = default;
        if (Source is { IsPerCaller: true })
        {
            PresentedToken.Read(request.Head, out caller);
        }

        request.Note(redirectedTo, caller);
    }

    /// <summary>Whether a response is a 401 or 403 about the proxy's credential. Any other 401 or 403 is forwarded to the client.</summary>
    public bool IsChallenge(ResponseHead response) => _mayBeAsked && response.Status is 401 or 403;

    /// <summary>Asks the source what to do about a challenge.</summary>
    /// <returns>Send again with another credential; go on, so that the client gets the upstream's answer; a refusal; or a fault.</returns>
    public async ValueTask<StageResult> RecoverAsync(RequestStream request, ResponseHead response, ReadOnlyMemory<byte> redirectedTo)
    {
        string? nonce = response.Fields.Has(KnownField.DPoPNonce) ? Encoding.Latin1.GetString(response.Value(KnownField.DPoPNonce)) : null;
        // If a pump was started, it may have released the request's bytes. The request was copied before that, so that copy is used.
        if (request is { IsPumping: false, IsHeld: true })
        {
            Note(request, redirectedTo);
        }

        var challenge = new UpstreamChallenge(
            Describe(request.Noted), response.Status, ValuesOf(response, KnownField.WwwAuthenticate), nonce, _line, _replays++);
        using SlowPathWait wait = _owner!.Interrupts.StartSlowPathWait();
        StageResult result = Take(await WithoutCancelAsync(Source!.RecoverAsync(challenge, wait.Token)).ConfigureAwait(false), out bool isRenewed);
        if (!result.GoesOn || !isRenewed)
        {
            return result;
        }

        if (request.IsPumping && _owner.Interrupts.IsAtLastBytes)
        {
            await request.JoinLastBytesAsync().ConfigureAwait(false); // the pump came to the last bytes while this waited for the credential
        }

        return request.CanBeSentAgain ? StageResult.SendAgain : Unavailable(CredentialResult.Unavailable(
            TimeSpan.FromSeconds(1), "credential-renewed",
                "The proxy has renewed its credential, but the request was too large to be kept for a second attempt. Send the request again."));
    }

    private StageResult Take(CredentialResult result, out bool isRenewed)
    {
        _line = result.Line;
        isRenewed = result.Kind is CredentialResultKind.Ready;
        if (_owner!.Interrupts.IsCut)
        {
            return StageResult.Fail(_owner.Interrupts.CutReason);
        }

        return result.Kind switch
        {
            CredentialResultKind.Unavailable => Unavailable(result),
            CredentialResultKind.Refused => StageResult.Refuse(result.Refusal, result.StepUp),

            // The client gets only the code of the fault. The reason was logged when the token exchange failed.
            CredentialResultKind.Failed => StageResult.Fail(result.Fault, new FaultDetail(result.RetryAfterSeconds, Code: Fault.For(result.Fault).Code)),
            _ => StageResult.GoOn,
        };
    }

    /// <summary>Returns the copied request in the form that the credential source takes. It allocates, so only cold code may call it.</summary>
    private UpstreamRequest Describe(in RequestNote note)
    {
        string target = Encoding.ASCII.GetString(note.Target);
        string origin = _owner!.Parts.Target.GetLeftPart(UriPartial.Authority);
        CallerToken? caller = !Source!.IsPerCaller ? null
            : note.Caller.IsEmpty ? CallerToken.None
            : new CallerToken(note.Caller.ToArray(), _callerEndsAt);
        return new UpstreamRequest(Encoding.ASCII.GetString(note.Method), new Uri(target is "*" ? origin : origin + target), caller);
    }

    private ReadOnlySpan<byte> PathOf(RequestStream request, ReadOnlyMemory<byte> redirectedTo)
    {
        if (redirectedTo.IsEmpty)
        {
            return _owner!.Parts.RequestRewriter.PathOf(request.Head);
        }

        ReadOnlySpan<byte> redirected = redirectedTo.Span;
        int query = redirected.IndexOf((byte)'?');
        return query < 0 ? redirected : redirected[..query];
    }

    private static StageResult Unavailable(CredentialResult result) =>
        StageResult.Fail(FaultReason.CredentialUnavailable, new FaultDetail(result.RetryAfterSeconds, result.Message, result.Code));

    /// <summary>Turns a cancelled wait into the result "unavailable". The reason for the cancellation is in <see cref="Interrupts"/>.</summary>
    private static async ValueTask<CredentialResult> WithoutCancelAsync(ValueTask<CredentialResult> waiting)
    {
        try
        {
            return await waiting.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return CredentialResult.Unavailable(TimeSpan.FromSeconds(1), "canceled", "The wait for a credential was cancelled.");
        }
    }

    private static List<string> ValuesOf(ResponseHead response, KnownField known)
    {
        var values = new List<string>();
        foreach (ref FieldSlot slot in response.Fields.Slots)
        {
            if (slot.Known == known)
            {
                values.Add(Encoding.Latin1.GetString(response.Value(slot)));
            }
        }

        return values;
    }
}
