using System.Globalization;

namespace McpProxyFast.Soak.Storm;

/// <summary>An upstream that answers each request with its own number, and at random stalls, leaves, redirects, challenges or answers too early.</summary>
internal sealed class StormUpstream(StormLedger ledger, int seed)
{
    private int _connections;

    public void Serve(RawPeer peer) => _ = ServeAsync(peer, new Random(seed + Interlocked.Increment(ref _connections)));

    /// <summary>What a whole answer to a request holds.</summary>
    public static string BodyOf(string target, string number, string requestBody) => target switch
    {
        "/large" => string.Concat(Enumerable.Repeat(number, 20_000)),
        "/stream" => string.Concat(Enumerable.Repeat($"data: {number}\n\n", 8)),
        _ => $"{number}:{requestBody.Length}",
    };

    private async Task ServeAsync(RawPeer peer, Random random)
    {
        try
        {
            bool goesOn = true;
            while (goesOn)
            {
                goesOn = await AnswerAsync(peer, random);
            }
        }
        catch (Exception gone) when (gone is InvalidDataException or IOException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
            // The proxy has gone because its client has. What is not plain would be told by the reader as data that is invalid: it is judged where it is read.
        }
        catch (TimeoutException)
        {
            // An idle connection that the proxy keeps for longer than this peer has patience.
        }
        finally
        {
            await peer.DisposeAsync();
        }
    }

    private async Task<bool> AnswerAsync(RawPeer peer, Random random)
    {
        string head = await peer.ReadThroughAsync("\r\n\r\n");
        var request = new StrictMessage(head[..^2], "");
        string number = request.Field("X-Number") ?? "";
        string target = request.StartLine.Split(' ')[1];
        if (number.Length == 0)
        {
            ledger.AddWrong($"The upstream got a request without its number: {head}");
        }

        if (random.Next(40) == 0)
        {
            peer.Leave((Leaving)random.Next(2));
            return false;
        }

        if (request.Field("Expect") is not null)
        {
            await Task.Delay(random.Next(5));
            if (random.Next(5) == 0)
            {
                await peer.SendAsync($"HTTP/1.1 417 Expectation Failed\r\nX-Number: {number}\r\nContent-Length: 0\r\n\r\n");
                return false;
            }

            await peer.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        }

        if (random.Next(60) == 0)
        {
            await peer.SendAsync($"HTTP/1.1 413 Content Too Large\r\nX-Number: {number}\r\nContent-Length: 0\r\n\r\n"); // before the body, which nobody reads
            return false;
        }

        string body = await ReadBodyAsync(peer, request);
        await Task.Delay(random.Next(20) == 0 ? random.Next(30) : 0);
        switch (random.Next(60))
        {
            case 0:
                await peer.SendAsync($"HTTP/1.1 401 Unauthorized\r\nX-Number: {number}\r\nContent-Length: 0\r\n\r\n");
                return true;
            case 1:
                peer.Reset();
                return false;
            case 2:
                await peer.SendAsync($"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Length: 100\r\n\r\nhalf");
                peer.Leave((Leaving)random.Next(2));
                return false;
            case 3:
                await peer.SendAsync(Answer(target, number, body) + Answer(target, number, body)); // the second is nobody's
                return false;
            case 4:
                await peer.SendAsync("HTTP/1.1 102 Processing\r\n\r\n");
                break;
        }

        if (target == "/redirect")
        {
            await peer.SendAsync($"HTTP/1.1 307 Temporary Redirect\r\nX-Number: {number}\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
            return true;
        }

        await SendAsync(peer, random, Answer(target, number, body));
        return true;
    }

    private static string Answer(string target, string number, string body)
    {
        string answer = BodyOf(target, number, body);
        return target == "/stream"
            ? $"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                + string.Concat(Enumerable.Range(0, 8).Select(_ => $"{answer.Length / 8:x}\r\ndata: {number}\n\n\r\n")) + "0\r\n\r\n"
            : $"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Length: {answer.Length}\r\n\r\n{answer}";
    }

    private static async Task SendAsync(RawPeer peer, Random random, string answer)
    {
        int cut = random.Next(3) == 0 ? random.Next(answer.Length) : 0;
        if (cut > 0)
        {
            await peer.SendAsync(answer[..cut]);
            await Task.Delay(random.Next(3));
        }

        await peer.SendAsync(answer[cut..]);
    }

    private static async Task<string> ReadBodyAsync(RawPeer peer, StrictMessage request)
    {
        if (request.Field("Transfer-Encoding") is null)
        {
            int length = int.Parse(request.Field("Content-Length") ?? "0", CultureInfo.InvariantCulture);
            byte[] bytes = new byte[length];
            await peer.ReadExactlyAsync(bytes);
            return System.Text.Encoding.Latin1.GetString(bytes);
        }

        var body = new System.Text.StringBuilder();
        while (true)
        {
            string line = await peer.ReadThroughAsync("\r\n");
            byte[] chunk = new byte[int.Parse(line.AsSpan(0, line.Length - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)];
            await peer.ReadExactlyAsync(chunk);
            await peer.ReadThroughAsync("\r\n");
            if (chunk.Length == 0)
            {
                return body.ToString();
            }

            body.Append(System.Text.Encoding.Latin1.GetString(chunk));
        }
    }
}
