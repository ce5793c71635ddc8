using System.Net.Sockets;
using System.Text;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>A connection to the server: one POST at a time, or the session's stream.</summary>
/// <param name="loop">The loop.</param>
/// <param name="socket">Connected.</param>
/// <param name="received">Takes each message.</param>
/// <param name="done">Takes the connection back when a response has ended.</param>
/// <param name="begun">Takes the id of a session that a response begins.</param>
internal sealed class DirectConnection(EventLoop loop, Socket socket, Action<byte[]> received, Action<DirectConnection> done, Action<string> begun)
    : Connection(loop, socket, readsResponses: true)
{
    private readonly List<byte> _body = [];
    private bool _isStream;

    public void Post(ReadOnlySpan<byte> head, ReadOnlySpan<byte> message) => Send((byte[])[.. head, .. message]);

    public void Get(byte[] head) => Send(head);

    public override void OnHead(in MessageHead head)
    {
        if (head.Status is not (200 or 202))
        {
            throw new WrongAnswerException($"An answer is {head.Status}.");
        }

        _isStream = head.Find("content-type"u8).StartsWith("text/event-stream"u8);
        if (head.Find("mcp-session-id"u8) is { IsEmpty: false } session)
        {
            begun(Encoding.ASCII.GetString(session));
        }
    }

    public override void OnBody(ReadOnlySpan<byte> body)
    {
        _body.AddRange(body);
        while (_isStream && TakeEvent())
        {
            // One message after the other.
        }
    }

    public override void OnEnd()
    {
        if (!_isStream && _body.Count > 0)
        {
            received([.. _body]);
        }

        _body.Clear();
        done(this);
    }

    protected override void OnMalformed(InvalidDataException fault) => throw new WrongAnswerException(fault.Message);

    protected override void OnClosedByPeer() => throw new WrongAnswerException("The server has closed a connection.");

    private bool TakeEvent()
    {
        ReadOnlySpan<byte> text = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_body);
        int end = text.IndexOf("\n\n"u8);
        if (end < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> data = "data: "u8;
        received(text[(text.IndexOf(data) + data.Length)..end].ToArray());
        _body.RemoveRange(0, end + 2);
        return true;
    }
}
