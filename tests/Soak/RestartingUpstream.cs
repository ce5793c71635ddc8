using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Soak;

/// <summary>A small HTTP/1.1 server that can be taken away, with all its connections, and brought back on the same port.</summary>
internal sealed class RestartingUpstream(Ledger ledger) : IDisposable
{
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private Socket? _listener;

    public int Port { get; private set; }

    /// <summary>How long a connection may be idle before it is closed; infinite by default.</summary>
    public TimeSpan IdleTime { get; init; } = Timeout.InfiniteTimeSpan;

    public void Start()
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _listener.Listen(512);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _ = AcceptAsync(_listener);
    }

    public void Dispose() => Stop();

    public void Stop()
    {
        _listener?.Dispose();
        foreach (Socket socket in _open.Keys)
        {
            socket.Dispose();
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync();
                _open[socket] = 0;
                _ = ServeAsync(socket);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // Stopped on purpose: the next start listens anew.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            var reader = new LenientReader(stream);
            while (await NextAsync(reader) is { } head)
            {
                ledger.Seen(head.Field("X-Number"));
                await AnswerAsync(stream, head, await reader.ReadBodyAsync(head));
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or SocketException)
        {
            // The proxy has gone because its client has, or this upstream was stopped.
        }
        finally
        {
            _open.TryRemove(socket, out _);
        }
    }

    /// <summary>The next request; null where the proxy has closed, or has sent nothing for the idle time.</summary>
    private async Task<LenientHead?> NextAsync(LenientReader reader)
    {
        Task<LenientHead?> next = reader.ReadHeadAsync();
        return await Task.WhenAny(next, Task.Delay(IdleTime)) == next ? await next : null;
    }

    private static async Task AnswerAsync(NetworkStream stream, LenientHead head, byte[] body)
    {
        string number = head.Field("X-Number");
        switch (head.StartLine.Split(' ')[1])
        {
            case "/stream":
                await StreamAsync(stream, number);
                break;
            case "/large":
                await WriteAsync(stream, number, new byte[512 * 1024]);
                break;
            default:
                await WriteAsync(stream, number, Encoding.ASCII.GetBytes(body.Length.ToString(CultureInfo.InvariantCulture)));
                break;
        }
    }

    private static async Task WriteAsync(NetworkStream stream, string number, byte[] body)
    {
        byte[] head = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Length: {body.Length}\r\n\r\n");
        await stream.WriteAsync((byte[])[.. head, .. body]);
    }

    private static async Task StreamAsync(NetworkStream stream, string number)
    {
        const int events = 20;
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"));
        for (int i = 0; i < events; i++)
        {
            await stream.WriteAsync("d\r\ndata: event\n\n\r\n"u8.ToArray());
            await Task.Delay(10);
        }

        await stream.WriteAsync("0\r\n\r\n"u8.ToArray());
    }
}
