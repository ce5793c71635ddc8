using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>An upstream that takes one request and answers when it is told to.</summary>
public sealed class HeldUpstream : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private Socket? _connection;

    public HeldUpstream() => _listener.Start();

    public string Address => $"http://{_listener.LocalEndpoint}";

    /// <summary>Waits for the head of a request.</summary>
    /// <returns>The head, a character for each byte.</returns>
    public async Task<string> RequestAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        _connection = await _listener.AcceptSocketAsync(patience.Token);
        var head = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            int count = await _connection.ReceiveAsync(buffer, patience.Token);
            head.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        return head.ToString();
    }

    public async Task AnswerAsync(string text, string type = "text/plain") => await _connection!.SendAsync(
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {text.Length}\r\n\r\n{text}"));

    public void Dispose()
    {
        _connection?.Dispose();
        _listener.Dispose();
    }
}
