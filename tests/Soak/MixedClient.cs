using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Soak;

/// <summary>One client: request after request of every kind on a connection it keeps while it can, and now and then it just leaves.</summary>
internal sealed class MixedClient(IPEndPoint proxy, Ledger ledger, int seed)
{
    private readonly Random _random = new(seed);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(proxy, CancellationToken.None);
                await using var stream = new NetworkStream(socket);
                await UseAsync(socket, stream, stopping);
            }
            catch (Exception cut) when (cut is IOException or SocketException)
            {
                // The connection was cut while no request was under way: nothing to account for.
            }
        }
    }

    private async Task UseAsync(Socket socket, NetworkStream stream, CancellationToken stopping)
    {
        var reader = new LenientReader(stream);
        bool goesOn = true;
        while (goesOn && !stopping.IsCancellationRequested)
        {
            string number = ledger.Start();
            try
            {
                goesOn = await ExchangeAsync(socket, stream, reader, number);
            }
            catch (Exception cut) when (cut is IOException or SocketException)
            {
                // A cut that shows is the right end of a request whose upstream was taken away.
                ledger.End(number, "cut");
                goesOn = false;
            }

            await Task.Delay(_random.Next(5), CancellationToken.None);
        }
    }

    private async Task<bool> ExchangeAsync(Socket socket, NetworkStream stream, LenientReader reader, string number)
    {
        int bodyLength = _random.Next(10) switch { 0 => 300_000, 1 => 0, _ => _random.Next(1, 500) };
        string target = _random.Next(10) switch { 0 => "/large", 1 or 2 => "/stream", _ => "/echo" };
        byte[] head = Encoding.ASCII.GetBytes($"POST {target} HTTP/1.1\r\nHost: {proxy}\r\nX-Number: {number}\r\nContent-Length: {bodyLength}\r\n\r\n");
        bool leaves = _random.Next(50) == 0;
        int sent = leaves ? _random.Next(bodyLength + 1) : bodyLength;
        await stream.WriteAsync((byte[])[.. head, .. new byte[sent]]);
        if (leaves)
        {
            socket.LingerState = new LingerOption(_random.Next(2) == 0, 0);
            ledger.End(number, "left");
            return false;
        }

        LenientHead answer = await reader.ReadHeadAsync() ?? throw new EndOfStreamException();
        byte[] body = await reader.ReadBodyAsync(answer);
        Check(answer, body, number, target, bodyLength);
        return answer.Field("Connection") != "close";
    }

    private void Check(LenientHead answer, byte[] body, string number, string target, int bodyLength)
    {
        string status = answer.StartLine.Split(' ')[1];
        ledger.End(number, status);
        bool isRight = status != "200" || (answer.Field("X-Number") == number && target switch
        {
            "/large" => body.Length == 512 * 1024,
            "/stream" => body.Length == 20 * 13,
            _ => Encoding.ASCII.GetString(body) == bodyLength.ToString(CultureInfo.InvariantCulture),
        });
        if (!isRight || status is not ("200" or "502" or "504" or "408"))
        {
            ledger.AddWrong($"request {number} for {target}: {answer.StartLine}, number {answer.Field("X-Number")}, {body.Length} bytes");
        }
    }
}
