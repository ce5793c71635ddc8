using System.Net.Sockets;
using System.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeOrigin;

/// <summary>One accepted connection of the MCP server behind a bridge: Streamable HTTP with sessions.</summary>
internal sealed class BridgeOriginConnection(EventLoop loop, Socket socket, BridgeAnswers answers, NotificationSchedule schedule)
    : Connection(loop, socket, readsResponses: false)
{
    private readonly byte[] _message = new byte[4096];
    private int _length;
    private Kind _kind;
    private string _session = string.Empty;

    private enum Kind
    {
        Post,
        Stream,
        Delete,
        Elsewhere,
    }

    public override void OnHead(in MessageHead head)
    {
        ReadOnlySpan<byte> line = head.FirstLine;
        _kind = !head.Target.SequenceEqual("/mcp"u8) ? Kind.Elsewhere
            : line.StartsWith("POST "u8) ? Kind.Post
            : line.StartsWith("GET "u8) ? Kind.Stream
            : Kind.Delete;
        _session = Encoding.ASCII.GetString(head.Find("mcp-session-id"u8));
        _length = 0;
    }

    public override void OnBody(ReadOnlySpan<byte> body)
    {
        if (_length + body.Length > _message.Length)
        {
            throw new InvalidDataException("A message is longer than any of this benchmark.");
        }

        body.CopyTo(_message.AsSpan(_length));
        _length += body.Length;
    }

    public override void OnEnd()
    {
        switch (_kind)
        {
            case Kind.Post:
                Send(AnswerTo(_message.AsSpan(0, _length)));
                break;
            case Kind.Stream:
                Send(schedule.TrySetStream(_session, this) ? BridgeAnswers.StreamHead : BridgeAnswers.NotAllowed);
                break;
            case Kind.Delete:
                schedule.Close(_session);
                Send(BridgeAnswers.Ended);
                break;
            default:
                Send(BridgeAnswers.NotFound);
                break;
        }
    }

    public void SendNotification(long number) => SendReused(answers.Notification(number));

    // The schedule sees that a stream is no longer open.
    protected override void OnClosedByPeer()
    {
    }

    // What is missing then, the load sees.
    protected override void OnMalformed(InvalidDataException fault)
    {
    }

    private ReadOnlyMemory<byte> AnswerTo(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> id = McpMessages.Find(message, "\"id\":"u8);
        ReadOnlySpan<byte> method = McpMessages.Find(message, "\"method\":"u8);
        return id.IsEmpty ? BridgeAnswers.Accepted
            : method.SequenceEqual("\"initialize\""u8) ? BridgeAnswers.Initialize(id, schedule.Open())
            : method.SequenceEqual("\"tools/call\""u8) ? Call(message, id)
            : BridgeAnswers.Unknown(id);
    }

    private ReadOnlyMemory<byte> Call(ReadOnlySpan<byte> message, ReadOnlySpan<byte> id)
    {
        ReadOnlySpan<byte> tool = McpMessages.Find(message, "\"name\":"u8).Trim((byte)'"');
        if (tool.SequenceEqual("echo_stream"u8))
        {
            return BridgeAnswers.CallAsStream(id);
        }

        if (tool.SequenceEqual("notify"u8))
        {
            schedule.SetRate(_session, Digits.Read(McpMessages.Find(message, "\"rate\":"u8)));
        }

        return BridgeAnswers.Call(id);
    }
}
