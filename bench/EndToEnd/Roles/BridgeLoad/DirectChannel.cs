using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>No bridge: each message is a POST to the server, over as many connections as there are messages at once, beside the session's stream.</summary>
internal sealed class DirectChannel(int port) : IMcpChannel
{
    private static readonly byte[] InitializedMethod = Encoding.ASCII.GetBytes("\"notifications/initialized\"");

    private readonly EventLoop _loop = new();
    private readonly Stack<DirectConnection> _idle = new();
    private readonly Queue<byte[]> _messages = new();
    private string _session = string.Empty;

    public int Process => 0;

    public void Send(ReadOnlySpan<byte> message)
    {
        DirectConnection connection = _idle.TryPop(out DirectConnection? idle) ? idle : Connect();
        connection.Post(Head("POST", $"Content-Type: application/json\r\nContent-Length: {message.Length}\r\n"), message);
        if (message.IndexOf(InitializedMethod) >= 0)
        {
            Connect().Get(Head("GET", string.Empty));
        }
    }

    public ReadOnlySpan<byte> Receive()
    {
        byte[]? message;
        while (!_messages.TryDequeue(out message))
        {
            _loop.Poll(Clock.Now + Clock.Second);
        }

        return message;
    }

    public void Dispose() => _loop.Dispose();

    private DirectConnection Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        return new DirectConnection(_loop, socket, _messages.Enqueue, _idle.Push, session => _session = $"Mcp-Session-Id: {session}\r\n");
    }

    private byte[] Head(string method, string fields) => Encoding.ASCII.GetBytes(
        $"{method} /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json, text/event-stream\r\n"
        + $"MCP-Protocol-Version: {McpMessages.Revision}\r\n{_session}{fields}\r\n");
}
