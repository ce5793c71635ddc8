using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.House.Tests;

/// <summary>A token endpoint that gives everybody the same token for an hour.</summary>
/// <remarks>Once a proxy has it, nobody asks again, so it allocates nothing while others are measured.</remarks>
internal sealed class TokenServer : IAsyncDisposable
{
    private const string Answer = """{"access_token":"new","token_type":"Bearer","expires_in":3600}""";

    private static readonly byte[] Response = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _answering;

    public TokenServer()
    {
        _listener.Start();
        Url = new Uri($"http://{_listener.LocalEndpoint}/token");
        _answering = AnswerAsync(_listener, Response, _stopping.Token);
    }

    public Uri Url { get; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _answering;
        _listener.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Answers each request on a connection of its own, until it is cancelled.</summary>
    public static async Task AnswerAsync(TcpListener listener, byte[] response, CancellationToken stopping)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                using Socket client = await listener.AcceptSocketAsync(stopping);
                int received = 0;
                int read = 1;
                while (read > 0 && !IsWhole(buffer.AsSpan(0, received)))
                {
                    read = await client.ReceiveAsync(buffer.AsMemory(received), stopping);
                    received += read;
                }

                await client.SendAsync(response, stopping);
                client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody asks any more.
        }
    }

    /// <summary>Head and form of a request have come: it is closed only then, since a close before unread bytes is a reset.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> received)
    {
        int end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        string head = Encoding.ASCII.GetString(received[..end]);
        const string name = "Content-Length: ";
        int at = head.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        return at < 0 || received.Length - end - 4 >= int.Parse(head[(at + name.Length)..].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>Lets everybody in, for ever.</summary>
internal sealed class AdmitsAll : ITokenValidator
{
    public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) =>
        ValueTask.FromResult(TokenVerdict.Admit("tester", DateTimeOffset.MaxValue));
}
