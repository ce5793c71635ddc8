using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Admission;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>What the proxy says by itself.</summary>
internal sealed partial class ClientConnection
{
    /// <summary>How long a client that is still sending may go on after its answer, so that the answer is not lost to a reset.</summary>
    private static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The requests that never reach the upstream and need no credentials.</summary>
    private OwnReply? AnswerItself()
    {
        RequestHead request = _request!;
        if (IsForHealth(request))
        {
            return request.IsGet ? OwnReplies.Health(_parts.Clock.GetUtcNow()) : OwnReplies.HealthOnlyByGet;
        }

        if (ProtectedResourceDocument.Matches(request.Path, out ReadOnlySpan<byte> resourcePath) && _parts.Tokens is { } tokens)
        {
            return OwnReplies.Metadata(tokens.Document.Write(_entrance.Scheme, request.Authority, resourcePath), isPreflight: request.IsOptions);
        }

        if (_parts.Credentials is not null && IsOAuthDocument(request.Path))
        {
            return OwnReplies.NotFound;
        }

        if (request.IsTrace && _parts.Credentials is not null)
        {
            return OwnReplies.TraceNotAllowed; // the answer to a TRACE shows the request as it arrived, and so the credential
        }

        return request.HopsLeft == 0 ? OwnReplies.LastHop : AnswerPreflight(request);
    }

    /// <summary>What would send an MCP client to sign in by itself, though the proxy does that for it.</summary>
    private static bool IsOAuthDocument(ReadOnlySpan<byte> path) =>
        path.StartsWith("/.well-known/oauth-"u8) || path.StartsWith("/.well-known/openid-configuration"u8);

    private static bool IsForHealth(RequestHead request) => request.Path.SequenceEqual("/health"u8);

    private OwnReply? AnswerPreflight(RequestHead request)
    {
        if (!_parts.Cors.IsOn)
        {
            return null;
        }

        ReadOnlySpan<byte> origin = request.Value(KnownField.Origin);
        _extraLines = _parts.Cors.AnswerLinesFor(origin);
        return request.IsOptions
            && request.Fields.Has(KnownField.AccessControlRequestMethod)
            && _parts.Cors.TryAnswerPreflight(origin, out ReadOnlyMemory<byte> lines)
            ? new OwnReply(204, OwnReply.Text, [], System.Text.Encoding.ASCII.GetString(lines.Span))
            : null;
    }

    /// <summary>Refuses the request. What was malformed, or is not here whole, ends the connection.</summary>
    private ValueTask<bool> RefuseAsync(RefusalReason reason)
    {
        _parts.Tally.Refused(reason, Side.Client);
        _rule = Refusal.For(reason).Rule;
        return ReplyAsync(OwnReplies.Refused(reason, ChallengeFor(reason)), ExchangeEnd.Refused, Refusal.For(reason).Code);
    }

    /// <summary>Answers in the upstream's place, if there still is somebody to answer.</summary>
    private async ValueTask<bool> FaultAsync(FaultReason reason, int retryAfterSeconds = 0)
    {
        Fault fault = Fault.For(reason);
        _parts.Tally.Faulted(reason);
        if (fault.Status == 0)
        {
            await JoinPumpAsync().ConfigureAwait(false);
            DropUpstream();
            Report(reason is FaultReason.ClientGone ? ExchangeEnd.ClientGone : ExchangeEnd.Cut, 0, fault.Code);
            return Settle(clientKeepsAlive: false, upstreamKeepsAlive: false);
        }

        _parts.Logger.LogWarning("Answered {Status} {Code}.", fault.Status, fault.Code);
        ReadOnlyMemory<byte> id = FindRequestId();
        return await ReplyAsync(OwnReplies.Faulted(reason, id.Span, retryAfterSeconds), ExchangeEnd.Faulted, fault.Code).ConfigureAwait(false);
    }

    private ReadOnlyMemory<byte> FindRequestId()
    {
        bool isHere = _isHeld || _attempts == 0;
        return isHere && _request is { Length: > 0, Framing.IsComplete: false } request && (_pump is null || _pump.IsCompleted)
            ? JsonRpcError.FindId(request.Framing, _received.Slice(request.Length))
            : default;
    }

    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> ReplyAsync(OwnReply reply, ExchangeEnd end, string reason)
    {
        bool pumpWasDone = await JoinPumpAsync().ConfigureAwait(false); // it writes to the upstream, so it stops first
        DropUpstream();
        RequestHead? request = _request;
        bool keepsAlive = pumpWasDone && request is { KeepAlive: true, Length: > 0 } && !IsDraining && TrySkipRequest(request);
        if (_extraLines.Length > 0 && reply.Status != 204)
        {
            reply = reply with { Lines = reply.Lines + System.Text.Encoding.ASCII.GetString(_extraLines.Span) };
        }

        reply.Write(_client.Output, request is { IsHead: true }, keepsAlive, request is { Length: > 0, MinorVersion: 0 });
        Await(Wait.ClientWrite, _parts.Limits.WriteTimeout);
        FlushResult flush = await _client.Output.FlushAsync().ConfigureAwait(false);
        StopWaiting();
        Report(end, reply.Status, reason);
        _sendState = SendState.Done;
        _receiveState = flush.IsCompleted ? ReceiveState.Failed : ReceiveState.Done;
        bool goesOn = Settle(keepsAlive, upstreamKeepsAlive: false);
        if (!goesOn && !flush.IsCompleted)
        {
            await LingerAsync().ConfigureAwait(false);
        }

        return goesOn;
    }

    /// <summary>Goes behind the request, if all of it is here; else the rest could be taken for a request.</summary>
    private bool TrySkipRequest(RequestHead request)
    {
        if (_attempts > 0)
        {
            bool isWhole = _sendState is SendState.Done;
            if (isWhole)
            {
                _client.Input.AdvanceTo(_requestEnd);
            }

            return isWhole;
        }

        if (TryFindEnd(request, _received, out SequencePosition end) is not true)
        {
            return false;
        }

        _client.Input.AdvanceTo(end);
        return true;
    }

    /// <summary>Looks for the end of the request in what has been received.</summary>
    /// <returns>True where it is here; false where more has to come; null where the framing is broken.</returns>
    private bool? TryFindEnd(RequestHead request, in ReadOnlySequence<byte> received, out SequencePosition end)
    {
        var scan = new BodyScan(request, _parts.Limits);
        bool? found = scan.Read(received);
        end = found is null ? default : received.GetPosition(scan.Length);
        return found;
    }

    /// <summary>Reads and forgets what a client still sends, within bounds; closing at once would reset the connection and lose the answer (RFC 9112 §9.6).</summary>
    private async ValueTask LingerAsync()
    {
        const long mostBytes = 16 * 1024 * 1024;
        _client.ShutdownOutput();
        Await(Wait.Linger, LingerTimeout);
        long read = 0;
        while (read < mostBytes && !_isAborted)
        {
            ReadResult rest = await _client.Input.ReadAsync().ConfigureAwait(false);
            read += rest.Buffer.Length;
            _client.Input.AdvanceTo(rest.Buffer.End);
            if (rest.IsCompleted)
            {
                break;
            }
        }

        StopWaiting();
    }
}
