using System.Runtime.CompilerServices;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Upstream;

namespace McpProxyFast.Serving;

/// <summary>The stages of one exchange, in order.</summary>
internal sealed partial class ClientConnection
{
    private int _attempts;
    private int _redirects;
    private byte[]? _redirectedTo;
    private bool _responseSeen;
    private ReadOnlyMemory<byte> _extraLines;
    private long _startedAt;
    private ReportedRequest _reported;
    private string? _caller;
    private string _rule = "";
    private bool _isUpstreamReused;

    /// <summary>Runs one exchange.</summary>
    /// <returns>Whether the connection may carry another.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> RunExchangeAsync()
    {
        HeadArrival arrival = await ReceiveHeadAsync().ConfigureAwait(false);
        if (arrival.IsClosed || _isAborted)
        {
            return false;
        }

        Begin();
        if (arrival.Reason is not RefusalReason.None)
        {
            return await RefuseAsync(arrival.Reason).ConfigureAwait(false);
        }

        if (!AdmitsHost())
        {
            return await RefuseAsync(RefusalReason.HostNotAllowed).ConfigureAwait(false);
        }

        OwnReply? own = AnswerItself();
        if (own is not null)
        {
            return await ReplyAsync(own, ExchangeEnd.AnsweredByProxy, "").ConfigureAwait(false);
        }

        RefusalReason refused = AdmitByHead();
        if (refused is not RefusalReason.None)
        {
            return await RefuseAsync(refused).ConfigureAwait(false);
        }

        if (!TryAdmitByToken(out refused, out TokenVerdict? verdict))
        {
            verdict = await LookAtTokenAsync().ConfigureAwait(false);
        }

        if (refused is not RefusalReason.None)
        {
            return await RefuseAsync(refused).ConfigureAwait(false);
        }

        if (_parts.Tokens is not null && verdict is not { Kind: TokenVerdictKind.Admitted })
        {
            return await AnswerVerdictAsync(verdict).ConfigureAwait(false);
        }

        _caller = verdict?.Caller;

        if (_parts.Credentials is not null && !TryTakeCredential())
        {
            CredentialResult credential = await PrepareCredentialAsync().ConfigureAwait(false);
            if (RefusedBody is not RefusalReason.None)
            {
                return await RefuseAsync(RefusedBody).ConfigureAwait(false);
            }

            if (credential.Kind is CredentialResultKind.Unavailable)
            {
                return await AnswerUnavailableAsync(credential).ConfigureAwait(false);
            }
        }

        while (true)
        {
            FaultReason fault = TakeHeldUpstream() ? FaultReason.None : await LeaseAsync().ConfigureAwait(false);
            fault = fault is FaultReason.None ? CutReason : fault;
            if (fault is not FaultReason.None)
            {
                return await FaultAsync(fault).ConfigureAwait(false);
            }

            refused = await SendRequestAsync().ConfigureAwait(false);
            if (refused is not RefusalReason.None)
            {
                DropUpstream(reset: true); // an orderly end would let a pipe deliver the head that was written and not flushed
                return await RefuseAsync(refused).ConfigureAwait(false);
            }

            fault = await ReceiveResponseHeadAsync().ConfigureAwait(false);
            if (_pump is { } pump && _sendState is SendState.LastBytes or SendState.Done)
            {
                await JoinLastBytesAsync(pump).ConfigureAwait(false); // it is about to let go of what a replay would send again
            }

            if (RefusedBody is not RefusalReason.None)
            {
                return await RefuseAsync(RefusedBody).ConfigureAwait(false);
            }

            if (fault is FaultReason.None)
            {
                if (TryFollowRedirect())
                {
                    continue;
                }

                if (!IsChallenge(_response!))
                {
                    return await ForwardResponseAsync().ConfigureAwait(false);
                }

                CredentialResult recovered = await RecoverCredentialAsync().ConfigureAwait(false);
                switch (recovered.Kind)
                {
                    case CredentialResultKind.Unavailable:
                        return await AnswerUnavailableAsync(recovered).ConfigureAwait(false);
                    case CredentialResultKind.PassThrough:
                        return await ForwardResponseAsync().ConfigureAwait(false);
                    default:
                        PrepareReplay();
                        break;
                }
            }
            else if (!MayRetry(fault))
            {
                return await FaultAsync(fault).ConfigureAwait(false);
            }
        }
    }

    private void Begin()
    {
        _emptyLines = 0;
        _attempts = 0;
        _redirects = 0;
        _replays = 0;
        _credential = null;
        _redirectedTo = null;
        _responseSeen = false;
        _extraLines = default;
        _caller = null;
        _rule = "";
        _isUpstreamReused = false;
        if (_parts.Observer is not null)
        {
            _startedAt = _parts.Clock.GetTimestamp();
            if (_request is { Length: > 0 } request)
            {
                _reported.Take(request);
            }
        }

        Volatile.Write(ref _refusedBody, (int)RefusalReason.None);
        _sendState = SendState.Head;
        _receiveState = ReceiveState.Head;
    }

    /// <summary>Takes the connection that this client has kept, if it is still open, clean and young: the warm path.</summary>
    private bool TakeHeldUpstream()
    {
        if (_upstream is not { } held)
        {
            return false;
        }

        if (_parts.Pool.IsYoung(held) && held.TryTake())
        {
            return true;
        }

        DropUpstream();
        return false;
    }

    /// <summary>Finds another connection: an idle one, or, for a second attempt, surely a fresh one.</summary>
    private async ValueTask<FaultReason> LeaseAsync()
    {
        UpstreamConnection? idle = _attempts == 0 ? _parts.Pool.TryTake(_client.Loop) : null;
        if (idle is not null)
        {
            Interlocked.Exchange(ref _upstream, idle);
            return FaultReason.None;
        }

        using ColdWait wait = StartColdWait();
        (UpstreamConnection? made, FaultReason fault) = await _parts.Pool.ConnectAsync(_client.Loop, wait.Token).ConfigureAwait(false);
        Interlocked.Exchange(ref _upstream, made); // whoever cuts from now on finds it; whoever did before is found here
        return CutReason is FaultReason.None ? fault : CutReason;
    }

    /// <summary>A second attempt on a fresh connection, where the first met a connection that had ended and a second does no harm.</summary>
    private bool MayRetry(FaultReason fault)
    {
        bool retries = fault is FaultReason.UpstreamClosedEarly
            && _upstream is { } upstream
            && !_responseSeen
            && ReuseRule.MayRetry(
                upstream.IsReused,
                _isHeld && _sendState is SendState.Done,
                _request!.IsIdempotent,
                _attempts - 1);
        if (retries)
        {
            _parts.Tally.Retried();
            DropUpstream();
        }

        return retries;
    }

    /// <summary>Web frameworks answer <c>/mcp</c> with a redirect to <c>/mcp/</c>: one on the upstream's own origin is followed for the client.</summary>
    private bool TryFollowRedirect()
    {
        ResponseHead response = _response!;
        bool follows = response.Status is 307 or 308
            && _redirects < _parts.Limits.MaxRedirects
            && _isHeld && _sendState is SendState.Done
            && FindRedirect(response) is { Length: > 0 };
        if (!follows)
        {
            return false;
        }

        _redirectedTo = FindRedirect(response).ToArray();
        _redirects++;
        PrepareReplay();
        return true;
    }

    /// <summary>The request goes out once more because of an answer that the client does not see.</summary>
    private void PrepareReplay()
    {
        _responseSeen = false;
        HeadPool<ResponseHead>.Return(ref _response);
        DropUpstream();
    }

    /// <summary>Path and query of a Location on the upstream's origin, absolute or relative; empty where it leads elsewhere or is not plain.</summary>
    private ReadOnlySpan<byte> FindRedirect(ResponseHead response)
    {
        ReadOnlySpan<byte> location = response.Value(KnownField.Location);
        bool isLocal = location is [(byte)'/', ..] and not [(byte)'/', (byte)'/', ..];
        ReadOnlySpan<byte> path = isLocal ? location : _parts.ResponseRewriter.LocationBehindOrigin(response);
        int fragment = path.IndexOf((byte)'#');
        path = fragment < 0 ? path : path[..fragment];
        return path is [(byte)'/', ..] && !path.ContainsAny(Grammar.ForbiddenInTarget) ? path : default;
    }

    /// <summary>Closes the upstream connection: it failed, or is in doubt.</summary>
    private void DropUpstream(bool reset = false)
    {
        if (_upstream is { } dropped)
        {
            Volatile.Write(ref _upstream, null);
            dropped.Connection.Close(reset);
        }
    }

    /// <summary>Both directions have stopped: decides what may go on, and tells the observer.</summary>
    private bool Settle(bool clientKeepsAlive, bool upstreamKeepsAlive)
    {
        _client.Input.Unwatch();
        (bool client, bool upstream) = ReuseRule.Decide(_sendState, _receiveState, clientKeepsAlive, upstreamKeepsAlive);

        // Whoever cut the exchange, or stopped the rest of its request, has cancelled waits: one that comes later could still find that.
        bool undisturbed = CutReason is FaultReason.None && RefusedBody is RefusalReason.None;
        client &= undisturbed;
        if (upstream && undisturbed)
        {
            _upstream!.Hold(_parts.Heartbeat.Now);
        }
        else
        {
            DropUpstream();
        }

        ReturnHeads();
        return client;
    }

    private void Report(ExchangeEnd end, int status, string reason)
    {
        _parts.Tally.Ended(end);
        if (_parts.Observer is { } observer)
        {
            Tell(observer, end, status, reason);
        }
    }

    /// <summary>Tells the observer, which is the host's code: what it throws harms nothing.</summary>
    private void Tell(IProxyObserver observer, ExchangeEnd end, int status, string reason)
    {
        var report = new ExchangeReport
        {
            End = end,
            Status = status,
            Reason = reason,
            Rule = _rule,
            Duration = _parts.Clock.GetElapsedTime(_startedAt),
            Attempts = _attempts,
            Method = _reported.Method,
            Path = _reported.Path,
            Query = _reported.Query,
            McpMethod = _reported.McpMethod,
            McpName = _reported.McpName,
            Caller = _caller,
            Peer = _client.RemoteAddress,
            IsUpstreamReused = _isUpstreamReused,
        };
        try
        {
            observer.OnExchangeEnded(report);
        }
        catch (Exception fault)
        {
            _parts.HookFaults.Threw(Hook.Observer, fault);
        }
        finally
        {
            _reported.Clear();
        }
    }
}
