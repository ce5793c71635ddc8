using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>One client connection: exchange after exchange until one of the sides, or the proxy, has had enough.</summary>
/// <remarks>
/// The main loop owns the connection. Three others only wake it: the watch (the client went away), the heartbeat (a wait took too long) and the drain.
/// They set a reason, of which the first counts, and cancel what the loop may be waiting for. The stages of an exchange are in <c>.Exchange</c>,
/// the request's way in <c>.Request</c>, the response's in <c>.Response</c>, the proxy's own answers in <c>.Reply</c>, the wakers in <c>.Wake</c>.
/// </remarks>
internal sealed partial class ClientConnection : IConnectionWatch, IHeartbeatListener
{
    private readonly ServingParts _parts;
    private readonly Connection _client;
    private readonly Entrance _entrance;
    private readonly Action _left;
    private UpstreamConnection? _upstream;
    private RequestHead? _request;
    private ResponseHead? _response;
    private byte[]? _gathered;
    private ReadOnlySequence<byte> _received;
    private bool _servedOne;

    /// <param name="parts">What all connections share.</param>
    /// <param name="client">The connection; closed at the end.</param>
    /// <param name="entrance">What the listener, or the host, says of it.</param>
    /// <param name="left">Called when all is given back.</param>
    public ClientConnection(ServingParts parts, Connection client, Entrance entrance, Action left)
    {
        _parts = parts;
        _client = client;
        _entrance = entrance;
        _left = left;
    }

    /// <summary>Serves until the end. Never throws: whatever went wrong has been told to the client, or has cut the connection.</summary>
    public async Task RunAsync()
    {
        int number = _parts.Connections.Add(this);
        try
        {
            bool goesOn = true;
            while (goesOn)
            {
                goesOn = await RunExchangeAsync().ConfigureAwait(false);
                if (_isStreaming)
                {
                    // Awaited here and no deeper: a stream can last for days, and holds no stage of its exchange meanwhile.
                    RelayEnd end = await _responseRelay!.RunAsync(_upstream!.Connection.Input, _client.Output).ConfigureAwait(false);
                    goesOn = await EndExchangeAsync(end).ConfigureAwait(false);
                }

                _servedOne = true;
            }
        }
        catch (Exception bug)
        {
            // The one exception edge. Bad input and broken peers do not come here: they are results.
            _parts.Logger.LogError(bug, "A client connection was cut because of an internal error.");
            _resets = true;
        }
        finally
        {
            _parts.Connections.Remove(number);
            LeaveForGood();
        }
    }

    /// <summary>Waits for a whole request head. Idle until its first byte, then against the clock.</summary>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<HeadArrival> ReceiveHeadAsync()
    {
        Await(Wait.Head, _servedOne ? _parts.Limits.IdleTimeout : _parts.Limits.HeaderTimeout);
        _isIdle = true;
        try
        {
            while (!(_isIdle && IsDraining))
            {
                ReadResult read = await _client.Input.ReadAsync().ConfigureAwait(false);
                if (read.Buffer.IsEmpty)
                {
                    if (read.IsCompleted || _timedOut)
                    {
                        return HeadArrival.Closed;
                    }

                    _client.Input.AdvanceTo(read.Buffer.Start);
                    continue;
                }

                if (_isIdle)
                {
                    _isIdle = false;
                    Await(Wait.Head, _parts.Limits.HeaderTimeout);
                }

                HeadArrival? arrival = TakeHead(read);
                if (arrival is not null)
                {
                    return arrival.Value;
                }
            }

            return HeadArrival.Closed;
        }
        finally
        {
            _isIdle = false;
            StopWaiting();
        }
    }

    /// <summary>Goes on parsing; null where more bytes are needed.</summary>
    private HeadArrival? TakeHead(in ReadResult read)
    {
        const int mostEmptyLines = 4; // RFC 9112 §2.2 asks for tolerance of at least one
        _request ??= HeadPool<RequestHead>.Rent();
        ReadOnlyMemory<byte> bytes = Contiguous(read.Buffer);
        if (bytes.Span is [(byte)'\r', (byte)'\n', ..] && _emptyLines < mostEmptyLines)
        {
            _emptyLines++;
            _client.Input.AdvanceTo(read.Buffer.GetPosition(2));
            return null;
        }

        if (bytes.Span is [(byte)'\r'])
        {
            return Unfinished(read);
        }

        _request.Show(bytes);
        Step step = HeadParser.Parse(_request, _parts.RequestHeadLimits);
        _received = read.Buffer;
        return step.Kind switch
        {
            StepKind.Done => HeadArrival.Whole,
            StepKind.Reject => HeadArrival.Refused(step.Reason),
            _ => Unfinished(read),
        };
    }

    private HeadArrival? Unfinished(in ReadResult read)
    {
        if (read.IsCompleted)
        {
            return HeadArrival.Closed;
        }

        if (_timedOut)
        {
            _received = read.Buffer;
            return HeadArrival.Refused(RefusalReason.HeadTooSlow);
        }

        _client.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        return null;
    }

    /// <summary>The received bytes in one piece: as they lie, or, where a host's pipe holds them in several, copied once up to the largest head.</summary>
    private ReadOnlyMemory<byte> Contiguous(in ReadOnlySequence<byte> received)
    {
        if (received.IsSingleSegment)
        {
            return received.First;
        }

        _gathered ??= ArrayPool<byte>.Shared.Rent(_parts.Limits.MaxHeadBytes);
        int length = (int)Math.Min(received.Length, _parts.Limits.MaxHeadBytes);
        received.Slice(0, length).CopyTo(_gathered);
        return _gathered.AsMemory(0, length);
    }

    private void ReturnHeads()
    {
        HeadPool<RequestHead>.Return(ref _request);
        HeadPool<ResponseHead>.Return(ref _response);
        if (_gathered is { } gathered)
        {
            _gathered = null;
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    /// <summary>Leaves, and says so whatever happens: a host's pipe may throw when it is completed.</summary>
    private void LeaveForGood()
    {
        try
        {
            Leave();
        }
        catch (Exception fault)
        {
            _parts.Logger.LogError("A client connection could not be closed in an orderly way: {Type}.", fault.GetType());
        }
        finally
        {
            _left();
        }
    }

    private void Leave()
    {
        ReturnHeads();
        _reported.Clear();
        _client.Input.Unwatch();
        if (_upstream is { } upstream)
        {
            _upstream = null;
            if (CutReason is FaultReason.None && upstream.IsIdle && upstream.TryTake())
            {
                _parts.Pool.Return(upstream);
            }
            else
            {
                upstream.Connection.Close(reset: false);
            }
        }

        // A client that does not read would keep the system's buffers full for as long as it likes after an orderly end.
        _client.Close(_resets || CutReason is FaultReason.ClientTooSlow);
    }

    /// <summary>What became of the wait for a head.</summary>
    private readonly record struct HeadArrival(bool IsClosed, RefusalReason Reason)
    {
        public static HeadArrival Whole => default;

        public static HeadArrival Closed => new(true, RefusalReason.None);

        public static HeadArrival Refused(RefusalReason reason) => new(false, reason);
    }
}
