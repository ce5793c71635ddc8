namespace McpProxyFast.Cli.Tests.Support;

/// <summary>An upstream that takes one request and answers when it is told to.</summary>
public sealed class HeldUpstream : IDisposable
{
    private readonly PeerListener _listener = new();
    private RawPeer? _connection;

    public string Address => $"http://{_listener.Address}";

    /// <summary>Waits for a request.</summary>
    /// <returns>Its head.</returns>
    public async Task<string> RequestAsync()
    {
        _connection = await _listener.AcceptAsync();
        return (await _connection.ReadRequestAsync()).Head;
    }

    public Task AnswerAsync(string text, string type = "text/plain") =>
        _connection!.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {text.Length}\r\n\r\n{text}");

    public void Dispose() => _listener.Dispose();
}
