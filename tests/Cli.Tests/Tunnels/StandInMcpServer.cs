using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>An MCP server on a bare socket: it keeps each request as it came and answers as it is told to, so that field lines can be counted.</summary>
public sealed class StandInMcpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly Task _accepting;
    private int _open;

    /// <param name="answer">Writes the response to a request: its head and body as one text.</param>
    public StandInMcpServer(Func<string, NetworkStream, CancellationToken, Task> answer)
    {
        _listener.Start();
        _accepting = AcceptAsync(answer);
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}/mcp");

    /// <summary>The requests, head and body.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Most requests at a time of whose answer nothing had been written.</summary>
    public int Most { get; private set; }

    /// <summary>How many connections ended before they were answered.</summary>
    public ConcurrentQueue<bool> Cancelled { get; } = new();

    /// <summary>A server that answers every request alike.</summary>
    public static StandInMcpServer Always(string response) => new((_, stream, cancel) => stream.WriteAsync(Encoding.UTF8.GetBytes(response), cancel).AsTask());

    /// <summary>A server that answers every POST alike, and has no streams to be read by GET.</summary>
    public static StandInMcpServer Posts(string response) => new((request, stream, cancel) => stream.WriteAsync(
        Encoding.UTF8.GetBytes(request.StartsWith("POST ", StringComparison.Ordinal) ? response : "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n"), cancel).AsTask());

    /// <summary>A response with a body of JSON.</summary>
    public static string Json(int status, string body, string fields = "") =>
        $"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{fields}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    /// <summary>A response with a stream of events.</summary>
    public static string Events(params string[] messages) =>
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: session_1\r\nConnection: close\r\n\r\n"
        + string.Concat(messages.Select(message => $"id: 1\nevent: message\ndata: {message}\n\n"));

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _over.Dispose();
    }

    private async Task AcceptAsync(Func<string, NetworkStream, CancellationToken, Task> answer)
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_over.Token), answer);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private async Task ServeAsync(Socket socket, Func<string, NetworkStream, CancellationToken, Task> answer)
    {
        await using var stream = new AnswerStream(socket, Answered);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
        try
        {
            string request = await ReadAsync(stream, _over.Token);
            Requests.Enqueue(request);
            lock (Requests)
            {
                Most = Math.Max(Most, ++_open);
            }

            Task ended = WatchAsync(stream, gone);
            try
            {
                await answer(request, stream, gone.Token);
            }
            finally
            {
                stream.Begin();
            }

            socket.Shutdown(SocketShutdown.Send);
            await ended;
        }
        catch (OperationCanceledException) when (!_over.IsCancellationRequested)
        {
            Cancelled.Enqueue(true);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer has gone, or all is over.
        }
    }

    private void Answered()
    {
        lock (Requests)
        {
            _open--;
        }
    }

    private static async Task WatchAsync(NetworkStream stream, CancellationTokenSource gone)
    {
        try
        {
            while (await stream.ReadAsync(new byte[64], gone.Token) > 0)
            {
                // More than was asked for.
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Reset.
        }

        await gone.CancelAsync();
    }

    private static async Task<string> ReadAsync(NetworkStream stream, CancellationToken cancel)
    {
        var request = new StringBuilder();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            string text = request.ToString();
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && text.Length >= end + 4 + LengthOf(text[..end]))
            {
                return text;
            }

            int count = await stream.ReadAsync(buffer, cancel);
            request.Append(Encoding.Latin1.GetString(buffer, 0, count > 0 ? count : throw new IOException("cut")));
        }
    }

    private static int LengthOf(string head) => head.Split("\r\n")
        .Where(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))
        .Select(line => int.Parse(line["Content-Length: ".Length..]))
        .FirstOrDefault();

    /// <summary>Tells of an answer before its first byte goes out: who has that byte may ask again, and is not counted twice.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="begins">Told once.</param>
    private sealed class AnswerStream(Socket socket, Action begins) : NetworkStream(socket, ownsSocket: true)
    {
        private bool _hasBegun;

        public void Begin()
        {
            if (!_hasBegun)
            {
                _hasBegun = true;
                begins();
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Begin();
            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
