using System.Net.Sockets;
using McpProxyFast.EndToEnd.Wire;
using static McpProxyFast.EndToEnd.Roles.Origin.OriginRequest;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>One accepted connection: reads a request to its end, then answers it.</summary>
internal sealed class OriginConnection(EventLoop loop, Socket socket, OriginAnswers answers, EventSchedule schedule)
    : Connection(loop, socket, readsResponses: false)
{
    private const int MaxCallBytes = 4096;

    private OriginRequest _request;
    private bool _isRefused;
    private byte[] _call = [];
    private int _callLength;
    private long _received;
    private EventText? _events;
    private long _nextNumber;

    public override void OnHead(in MessageHead head)
    {
        _request = Read(head);
        _isRefused = _request.Flag && _request.Wanted switch
        {
            Behaviour.Call => !answers.IsInjected(head.Find("authorization"u8)),
            Behaviour.CallWithRealHeads => !answers.IsReal(head.Find("authorization"u8)),
            _ => false,
        };
        _callLength = 0;
        _received = 0;
    }

    public override void OnBody(ReadOnlySpan<byte> body)
    {
        _received += body.Length;
        if (_request.Wanted is Behaviour.Call or Behaviour.CallWithRealHeads && _received <= MaxCallBytes)
        {
            _call = _call.Length == 0 ? new byte[MaxCallBytes] : _call;
            body.CopyTo(_call.AsSpan(_callLength));
            _callLength += body.Length;
        }
    }

    public override void OnEnd()
    {
        switch (_request.Wanted)
        {
            case Behaviour.Call:
                SendReused(_isRefused ? answers.Unauthorized : answers.Small(_call.AsSpan(0, _callLength)));
                break;
            case Behaviour.CallWithRealHeads:
                SendReused(_isRefused ? answers.Unauthorized : answers.SmallWithRealHead(_call.AsSpan(0, _callLength)));
                break;
            case Behaviour.Stream or Behaviour.StreamTogether:
                StartStream();
                break;
            case Behaviour.Down:
                Send(answers.Large(_request.Number, _request.Flag));
                break;
            case Behaviour.Up:
                Send(OriginAnswers.Received(_received));
                break;
            case Behaviour.Discovery:
                Send(answers.DiscoveryDocument);
                break;
            case Behaviour.KeySet:
                Send(answers.KeySet);
                break;
            case Behaviour.Exchange:
                Send(answers.Exchanged);
                break;
            default:
                Send(answers.NotFound);
                break;
        }
    }

    /// <summary>Sends the stream's next event, unless the one before still waits for room.</summary>
    public void SendEvent()
    {
        if (!HasUnsent)
        {
            SendReused(_events!.For(_nextNumber++, Clock.Now));
        }
    }

    // The schedule drops a connection that is no longer open by itself.
    protected override void OnClosedByPeer()
    {
    }

    // The origin outlives a subject that sends nonsense; that its answer is missing, the load sees.
    protected override void OnMalformed(InvalidDataException fault)
    {
    }

    private void StartStream()
    {
        _events = schedule.TextOf(chunked: !_request.Flag);
        _nextNumber = 0;
        Send(OriginAnswers.StreamHead(chunked: !_request.Flag));
        SendEvent();
        if (_request.Number > 0)
        {
            schedule.Add(this, Clock.Second / _request.Number, together: _request.Wanted is Behaviour.StreamTogether);
        }
    }
}
