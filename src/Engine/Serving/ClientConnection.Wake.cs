using McpProxyFast.Outcomes;
using McpProxyFast.Relay;

namespace McpProxyFast.Serving;

/// <summary>Those that wake the main loop: watch, heartbeat, drain, abort.</summary>
internal sealed partial class ClientConnection
{
    private const long Never = long.MaxValue;

    private long _deadline = Never;
    private volatile Wait _wait;
    private volatile bool _isIdle;
    private volatile bool _timedOut;
    private volatile bool _isAborted;
    private volatile bool _drains;
    private int _cut;
    private int _refusedBody;
    private bool _resets;
    private ColdWait? _coldWait;
    private RelayProgress _requestProgress;
    private RelayProgress _responseProgress;

    /// <summary>What the deadline is for.</summary>
    private enum Wait : byte
    {
        None,
        Head,
        Response,
        ClientWrite,
        UpstreamWrite,
        LastBytes,
        Linger,
    }

    /// <summary>No exchange after the present one: the proxy is stopped, or the host wants this connection back.</summary>
    private bool IsDraining => _drains || _parts.IsDraining;

    /// <summary>Why the exchange is over before its time; the first cause counts.</summary>
    private FaultReason CutReason => (FaultReason)Volatile.Read(ref _cut);

    /// <summary>Why the rest of the request body is refused while it is sent.</summary>
    private RefusalReason RefusedBody => (RefusalReason)Volatile.Read(ref _refusedBody);

    /// <summary>The client's end, as a FIN or a reset: for MCP a disconnect is the cancellation.</summary>
    public void OnPeerEnded() => Cut(FaultReason.ClientGone);

    public void OnBytesUnasked()
    {
        // Not watched for: a client may send its next request early.
    }

    /// <summary>Lets the present exchange finish and takes no other.</summary>
    public void Drain()
    {
        _drains = true;
        if (_isIdle)
        {
            _client.Input.CancelPendingRead();
        }
    }

    /// <summary>Ends everything now.</summary>
    public void Abort()
    {
        _isAborted = true;
        Cut(FaultReason.Stopped);
        _client.Abort();
    }

    public void OnBeat(long nowMilliseconds)
    {
        if (nowMilliseconds >= Volatile.Read(ref _deadline))
        {
            Volatile.Write(ref _deadline, Never);
            OnDeadline();
        }

        if (_requestRelay is { } request)
        {
            CheckRequest(request, nowMilliseconds);
        }

        if (_responseRelay is { } response && _responseProgress.StuckSince(response, nowMilliseconds, RelayPhase.Writing) is { } since
            && nowMilliseconds - since > _parts.Limits.WriteTimeout.TotalMilliseconds)
        {
            Cut(FaultReason.ClientTooSlow);
        }

        _client.Input.LookBehindBytes();
        if (Volatile.Read(ref _upstream) is { IsIdle: true } upstream && _parts.Pool.IsStale(upstream, nowMilliseconds))
        {
            upstream.EndIdle();
        }
    }

    /// <summary>Ends the exchange for a reason from outside and wakes the main loop wherever it waits.</summary>
    private void Cut(FaultReason reason)
    {
        if (Interlocked.CompareExchange(ref _cut, (int)reason, (int)FaultReason.None) == (int)FaultReason.None)
        {
            WakeAll();
        }
    }

    private void RefuseBody(RefusalReason reason)
    {
        if (Interlocked.CompareExchange(ref _refusedBody, (int)reason, (int)RefusalReason.None) == (int)RefusalReason.None)
        {
            WakeAll();
        }
    }

    /// <summary>Cancels every wait of this connection. What is not waiting now finds the cancellation at its next wait.</summary>
    private void WakeAll()
    {
        Volatile.Read(ref _coldWait)?.Cancel();
        if (_pump is not null)
        {
            _client.Input.CancelPendingRead();
        }

        _client.Output.CancelPendingFlush();
        if (Volatile.Read(ref _upstream) is { } upstream)
        {
            upstream.Connection.Output.CancelPendingFlush();
            upstream.Connection.Input.CancelPendingRead();
        }
    }

    private void OnDeadline()
    {
        switch (_wait)
        {
            case Wait.Head:
                _timedOut = true;
                _client.Input.CancelPendingRead();
                break;
            case Wait.Response or Wait.UpstreamWrite:
                Cut(FaultReason.UpstreamResponseTimeout);
                break;
            case Wait.LastBytes:
                _timedOut = true;
                Volatile.Read(ref _upstream)?.Connection.Output.CancelPendingFlush();
                break;
            case Wait.ClientWrite:
                Cut(FaultReason.ClientTooSlow);
                break;
            case Wait.Linger:
                _client.Abort();
                break;
            default:
                break; // the wait ended just now
        }
    }

    private void CheckRequest(BodyRelay relay, long now)
    {
        if (_pump is null)
        {
            return;
        }

        if (_requestProgress.StuckSince(relay, now, RelayPhase.Writing) is { } writingSince)
        {
            if (now - writingSince > _parts.Limits.WriteTimeout.TotalMilliseconds)
            {
                Cut(FaultReason.UpstreamResponseTimeout);
            }

            return;
        }

        long silence = (long)_parts.Limits.BodyTimeout.TotalMilliseconds;
        bool isSilent = _requestProgress.StuckSince(relay, now, RelayPhase.Reading) is { } readingSince && now - readingSince > silence;
        if (isSilent || _requestProgress.IsBelow(relay, now, silence, _parts.Limits.MinBodyBytesPerSecond))
        {
            RefuseBody(RefusalReason.BodyTooSlow);
        }
    }

    /// <summary>Starts a wait on something other than the peers. The client is watched meanwhile.</summary>
    private ColdWait StartColdWait()
    {
        var wait = new ColdWait(() => Volatile.Write(ref _coldWait, null), _parts.HookFaults);
        Interlocked.Exchange(ref _coldWait, wait);
        StartWatch();
        if (CutReason is not FaultReason.None)
        {
            wait.Cancel();
        }

        return wait;
    }

    private void Await(Wait wait, TimeSpan limit)
    {
        _timedOut = false;
        _wait = wait;
        Volatile.Write(ref _deadline, _parts.Heartbeat.After(limit));
    }

    private void StopWaiting()
    {
        Volatile.Write(ref _deadline, Never);
        _wait = Wait.None;
    }

    /// <summary>What the heartbeat remembers of a relay from beat to beat, so that the relay itself need not look at a clock.</summary>
    private struct RelayProgress
    {
        private uint _steps;
        private long _since;
        private long _startedAt;

        public void Start(long now, uint steps)
        {
            _steps = steps;
            _since = now;
            _startedAt = now;
        }

        /// <summary>Since when the relay has been waiting in this phase; null where it is not, or has moved since the last beat.</summary>
        public long? StuckSince(BodyRelay relay, long now, RelayPhase phase)
        {
            uint steps = relay.Steps;
            if (steps != _steps)
            {
                _steps = steps;
                _since = now;
            }

            return relay.Phase == phase ? _since : null;
        }

        /// <summary>Whether a body that has had its grace came slower than a rate, on average.</summary>
        public readonly bool IsBelow(BodyRelay relay, long now, long graceMilliseconds, int bytesPerSecond)
        {
            long elapsed = now - _startedAt;
            return elapsed > graceMilliseconds && relay.MovedBytes < elapsed / 1000 * bytesPerSecond;
        }
    }
}
