using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Soak.Network;

/// <summary>A client that keeps its connection and POSTs about as often as the upstream closes idle ones.</summary>
internal sealed class PausingClient(IPEndPoint proxy, Outages outages, int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Requests that were sent.</summary>
    public int Sent { get; private set; }

    /// <summary>Requests without a right answer although the upstream was there all the time.</summary>
    public int Lost { get; private set; }

    /// <summary>What came in place of a right answer while the upstream was there.</summary>
    public List<string> Losses { get; } = [];

    /// <summary>Requests without a right answer while the upstream was away.</summary>
    public int LostToOutages { get; private set; }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(proxy, CancellationToken.None);
                await using var stream = new NetworkStream(socket);
                await UseAsync(stream, stopping);
            }
            catch (Exception cut) when (cut is IOException or SocketException)
            {
                // Counted where it happened; a new connection follows.
            }
        }
    }

    private async Task UseAsync(NetworkStream stream, CancellationToken stopping)
    {
        var reader = new LenientReader(stream);
        while (true)
        {
            const int minPause = 1500;
            const int maxPause = 2500;
            await Task.Delay(_random.Next(minPause, maxPause), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
            {
                return;
            }

            long began = Environment.TickCount64;
            string? loss = "cut";
            Sent++;
            try
            {
                loss = await ExchangeAsync(stream, reader);
            }
            finally
            {
                Count(loss, began);
            }
        }
    }

    /// <returns>Null for the right answer, else what came.</returns>
    private async Task<string?> ExchangeAsync(NetworkStream stream, LenientReader reader)
    {
        byte[] body = new byte[_random.Next(1, 500)];
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"POST /echo HTTP/1.1\r\nHost: {proxy}\r\nContent-Length: {body.Length}\r\n\r\n"), .. body]);
        LenientHead answer = await reader.ReadHeadAsync() ?? throw new EndOfStreamException();
        string text = Encoding.ASCII.GetString(await reader.ReadBodyAsync(answer));
        bool isRight = answer.StartLine.Contains(" 200 ", StringComparison.Ordinal) && text == body.Length.ToString(CultureInfo.InvariantCulture);
        return isRight ? null : $"{answer.StartLine} {text}";
    }

    private void Count(string? loss, long began)
    {
        if (loss is null)
        {
            return;
        }

        if (outages.Touch(began, Environment.TickCount64))
        {
            LostToOutages++;
        }
        else
        {
            Lost++;
            Losses.Add($"after {Environment.TickCount64 - began} ms: {loss}");
        }
    }
}
