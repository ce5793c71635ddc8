using System.Diagnostics;
using System.Text;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>The credential that goes out with one exchange: taken ready-made, or waited for; renewed where the upstream refuses it.</summary>
internal sealed class CredentialStage
{
    /// <summary>The exchange's connection; valid between <see cref="Open"/> and <see cref="Clear"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>How often the request has been sent again with another credential.</summary>
    private int _replays;

    /// <summary>The request as a credential is asked for it; null until <see cref="Describe"/> was called.</summary>
    private UpstreamRequest? _described;

    /// <summary>What the request goes out with; null for nothing.</summary>
    public CredentialLine? Line { get; private set; }

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
        _described = null;
        Line = null;
    }

    /// <summary>The warm path: no credential is asked for, or a line is ready and the request is here whole, or need not be.</summary>
    public bool TryTake(RequestStream request)
    {
        if (Source is not { } source)
        {
            return true;
        }

        Line = source.ProvesEachRequest ? null : source.Current;
        return Line is not null && !request.MayGather();
    }

    /// <summary>The cold path: waits for a small body to arrive whole, so that a refused request can be sent again, and for a credential.</summary>
    public async ValueTask<StageResult> PrepareAsync(RequestStream request)
    {
        StageResult gathered = await request.GatherAsync().ConfigureAwait(false);
        if (!gathered.GoesOn || Line is not null)
        {
            return gathered;
        }

        using ColdWait wait = _owner!.Interrupts.StartColdWait();
        return Take(await WithoutCancelAsync(Source!.ObtainAsync(Describe(request, request.Redirect.To), wait.Token)).ConfigureAwait(false), out _);
    }

    /// <summary>Remembers the request before a pump may let its bytes go; a challenge is about it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="redirectedTo">Where a redirect has led it; empty for nowhere.</param>
    public UpstreamRequest Describe(RequestStream request, ReadOnlyMemory<byte> redirectedTo)
    {
        if (_described is { } described && redirectedTo.IsEmpty)
        {
            return described;
        }

        ServingParts parts = _owner!.Parts;
        string target = redirectedTo.IsEmpty ? parts.RequestRewriter.DescribeTarget(request.Head) : Encoding.ASCII.GetString(redirectedTo.Span);
        string origin = parts.Target.GetLeftPart(UriPartial.Authority);
        var made = new UpstreamRequest(Encoding.ASCII.GetString(request.Head.Method), new Uri(target is "*" ? origin : origin + target));
        _described = made;
        return made;
    }

    /// <summary>A 401, or a 403, where credentials are the proxy's business.</summary>
    public bool IsChallenge(ResponseHead response) => Source is not null && response.Status is 401 or 403;

    /// <summary>Asks the source what to do about a challenge.</summary>
    /// <returns>Sending again with another credential, going on to show the client the upstream's answer, or a fault.</returns>
    public async ValueTask<StageResult> RecoverAsync(RequestStream request, ResponseHead response, ReadOnlyMemory<byte> redirectedTo)
    {
        string? nonce = response.Fields.Has(KnownField.DPoPNonce) ? Encoding.Latin1.GetString(response.Value(KnownField.DPoPNonce)) : null;
        UpstreamRequest described = request is { IsPumping: false, IsHeld: true } ? Describe(request, redirectedTo) : _described!.Value;
        var challenge = new UpstreamChallenge(described, response.Status, ValuesOf(response, KnownField.WwwAuthenticate), nonce, Line, _replays++);
        using ColdWait wait = _owner!.Interrupts.StartColdWait();
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
        Line = result.Line;
        isRenewed = result.Kind is CredentialResultKind.Ready;
        return _owner!.Interrupts.IsCut ? StageResult.Fail(_owner.Interrupts.CutReason)
            : result.Kind is CredentialResultKind.Unavailable ? Unavailable(result)
            : StageResult.GoOn;
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
