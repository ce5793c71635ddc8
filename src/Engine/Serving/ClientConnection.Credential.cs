using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>The credential that goes out: taken ready-made, or waited for; renewed and the request replayed where the upstream refuses it.</summary>
internal sealed partial class ClientConnection
{
    private CredentialLine? _credential;
    private int _replays;

    /// <summary>The warm path: a line is ready and the request is here whole, or need not be.</summary>
    private bool TryTakeCredential()
    {
        CredentialSource source = _parts.Credentials!;
        _credential = source.ProvesEachRequest ? null : source.Current;
        var scan = new BodyScan(_request!);
        return _credential is not null && !MayGather(_received, ref scan);
    }

    /// <summary>The cold path: waits for a small body to arrive whole, so that a refused request can be sent again, and for a credential.</summary>
    private async ValueTask<CredentialResult> PrepareCredentialAsync()
    {
        await GatherBodyAsync().ConfigureAwait(false);
        if (_credential is { } ready)
        {
            return CredentialResult.Ready(ready);
        }

        using ColdWait wait = StartColdWait();
        return Take(await WithoutCancelAsync(_parts.Credentials!.ObtainAsync(Describe(), wait.Token)).ConfigureAwait(false));
    }

    private async ValueTask<CredentialResult> RecoverCredentialAsync()
    {
        ResponseHead response = _response!;
        string? nonce = response.Fields.Has(KnownField.DPoPNonce) ? Encoding.Latin1.GetString(response.Value(KnownField.DPoPNonce)) : null;
        var challenge = new UpstreamChallenge(Describe(), response.Status, ValuesOf(response, KnownField.WwwAuthenticate), nonce, _credential, _replays++);
        using ColdWait wait = StartColdWait();
        CredentialResult result = Take(await WithoutCancelAsync(_parts.Credentials!.RecoverAsync(challenge, wait.Token)).ConfigureAwait(false));
        bool canReplay = _isHeld && _sendState is SendState.Done;
        return result.Kind is not CredentialResultKind.Ready || canReplay ? result : CredentialResult.Unavailable(
            TimeSpan.FromSeconds(1), "credential-renewed", "The proxy has renewed its credential, but the request was too large to be kept. Send it again.");
    }

    /// <summary>A 401, or a 403, where credentials are the proxy's business.</summary>
    private bool IsChallenge(ResponseHead response) => _parts.Credentials is not null && response.Status is 401 or 403;

    private ValueTask<bool> AnswerUnavailableAsync(CredentialResult result)
    {
        if (CutReason is not FaultReason.None)
        {
            return FaultAsync(CutReason);
        }

        _parts.Tally.Faulted(FaultReason.CredentialUnavailable);
        return ReplyAsync(
            OwnReplies.Faulted(FaultReason.CredentialUnavailable, FindRequestId().Span, result.RetryAfterSeconds, result.Message, result.Code),
            ExchangeEnd.Faulted,
            result.Code ?? "");
    }

    private CredentialResult Take(CredentialResult result)
    {
        _credential = result.Line;
        return result;
    }

    /// <summary>A wait that was cancelled ends as unavailable; whoever cancelled it has left the reason.</summary>
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

    private UpstreamRequest Describe()
    {
        RequestHead request = _request!;
        string target = _redirectedTo is null ? _parts.RequestRewriter.DescribeTarget(request) : Encoding.ASCII.GetString(_redirectedTo);
        string origin = _parts.Target.GetLeftPart(UriPartial.Authority);
        return new UpstreamRequest(Encoding.ASCII.GetString(request.Method), new Uri(target is "*" ? origin : origin + target));
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

    /// <summary>Whether the rest of the body is worth waiting for: it fits the replay window, and the client is not itself waiting for a 100.</summary>
    private bool MayGather(in ReadOnlySequence<byte> received, ref BodyScan scan)
    {
        RequestHead request = _request!;
        bool fits = received.Length < _parts.Limits.ReplayWindowBytes
            && request.Framing.DeclaredLength <= _parts.Limits.ReplayWindowBytes - request.Length;
        return fits && !request.ExpectsContinue && !IsWhole(request, received, ref scan);
    }

    private static bool IsWhole(RequestHead request, in ReadOnlySequence<byte> received, ref BodyScan scan) =>
        request.Framing.Kind is FramingKind.Chunked
            ? scan.Read(received) is not false
            : received.Length - request.Length >= request.Framing.DeclaredLength;

    private async ValueTask GatherBodyAsync()
    {
        var scan = new BodyScan(_request!);
        Await(Wait.Head, _parts.Limits.BodyTimeout);
        while (MayGather(_received, ref scan))
        {
            _client.Input.AdvanceTo(_received.Start, _received.End);
            ReadResult read = await _client.Input.ReadAsync().ConfigureAwait(false);
            _received = read.Buffer;
            if (read.Buffer.Length >= _request!.Length) // a pipe that broke off shows nothing any more
            {
                _request.SetBytes(Contiguous(read.Buffer));
            }

            if (read.IsCompleted)
            {
                Cut(FaultReason.ClientGone);
                break;
            }

            if (_timedOut)
            {
                RefuseBody(RefusalReason.BodyTooSlow);
                break;
            }
        }

        StopWaiting();
    }
}
