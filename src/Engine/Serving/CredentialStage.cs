using System.Diagnostics;
using System.Text;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>The credential that goes out with one exchange: taken ready-made, or waited for; renewed if the upstream refuses it.</summary>
internal sealed class CredentialStage
{
    /// <summary>The exchange's connection; valid between <see cref="Open"/> and <see cref="Clear"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>How often the request has been sent again with another credential.</summary>
    private int _replays;

    /// <summary>What the request goes out with; null for nothing.</summary>
    private CredentialLine? _line;

    /// <summary>When the caller's token ends; null until <see cref="NoteCaller"/> was called, and if nobody has said it.</summary>
    private DateTimeOffset? _callerEndsAt;

    /// <summary>A challenge to the request, as it was sent last, would be about the credential.</summary>
    private bool _mayBeAsked;

    /// <summary>The request, as it was sent last, is for the credential's resource.</summary>
    public bool IsForResource { get; private set; }

    private UpstreamCredentials? Source => _owner!.Parts.Credentials;

    /// <summary>Takes up a new exchange of a connection.</summary>
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

    /// <summary>Notes what is known of the caller's token, before anything is asked for with it.</summary>
    public void NoteCaller(TokenVerdict? verdict) => _callerEndsAt = verdict?.TokenEndsAt;

    /// <summary>
    /// The warm path: no credential is wanted, as for a path that is another resource's; or a line is ready, or nothing has asked for one, and the request is
    /// here whole, or need not be.
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

    /// <summary>What the request is sent with, there or where a redirect has led it: nothing if that is not the credential's resource.</summary>
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
    /// Waits for a small body to arrive whole, so that a refused request can be sent again, and for a credential. If there is one already, the path is warm:
    /// the body comes in a read of its own.
    /// </summary>
    public ValueTask<StageResult> PrepareAsync(RequestStream request) => MustObtain(Source!) ? ObtainAsync(request) : request.GatherAsync();

    private bool MustObtain(UpstreamCredentials source) => _line is null && !source.IsUnasked;

    /// <summary>The cold path: there is no credential yet.</summary>
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

    /// <summary>Notes the request, with its caller's token if the credential depends on that: a challenge is about it. Allocates nothing.</summary>
    /// <param name="request">The request. Its pump, if it has one, does not run.</param>
    /// <param name="redirectedTo">Where a redirect has led it; empty for nowhere.</param>
    public void Note(RequestStream request, ReadOnlyMemory<byte> redirectedTo)
    {
        ReadOnlySpan<byte> caller = default;
        if (Source is { IsPerCaller: true })
        {
            PresentedToken.Read(request.Head, out caller);
        }

        request.Note(redirectedTo, caller);
    }

    /// <summary>A 401, or a 403, where credentials are the proxy's business. Every other one is the client's.</summary>
    public bool IsChallenge(ResponseHead response) => _mayBeAsked && response.Status is 401 or 403;

    /// <summary>Asks the source what to do about a challenge.</summary>
    /// <returns>Sending again with another credential, going on to show the client the upstream's answer, or a fault.</returns>
    public async ValueTask<StageResult> RecoverAsync(RequestStream request, ResponseHead response, ReadOnlyMemory<byte> redirectedTo)
    {
        string? nonce = response.Fields.Has(KnownField.DPoPNonce) ? Encoding.Latin1.GetString(response.Value(KnownField.DPoPNonce)) : null;
        if (request is { IsPumping: false, IsHeld: true })
        {
            Note(request, redirectedTo); // otherwise it was noted when its pump started
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
            await request.JoinLastBytesAsync().ConfigureAwait(false); // it has gone out whole meanwhile
        }

        return request.CanBeSentAgain ? StageResult.SendAgain : Unavailable(CredentialResult.Unavailable(
            TimeSpan.FromSeconds(1), "credential-renewed", "The proxy has renewed its credential, but the request was too large to be kept. Send it again."));
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

            // Only the code of the fault: the reason was logged when the exchange failed.
            CredentialResultKind.Failed => StageResult.Fail(result.Fault, new FaultDetail(result.RetryAfterSeconds, Code: Fault.For(result.Fault).Code)),
            _ => StageResult.GoOn,
        };
    }

    /// <summary>The noted request in the form in which a credential is asked for. For cold code: it allocates.</summary>
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

    /// <summary>A wait that was cancelled ends as unavailable; the reason stands in the interrupts.</summary>
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
