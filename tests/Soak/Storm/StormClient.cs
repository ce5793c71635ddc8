using System.Text;

namespace McpProxyFast.Soak.Storm;

/// <summary>A client that sends requests of every kind, and at random stalls, half-closes, resets or leaves. What it is answered must be its own.</summary>
internal sealed class StormClient(StormHost host, StormLedger ledger, int seed)
{
    private static readonly string[] Targets = ["/echo", "/echo", "/echo", "/large", "/stream", "/redirect"];

    private readonly Random _random = new(seed);

    /// <summary>What this client waits for; for a wait without end.</summary>
    private string _waitsFor = "";

    public async Task RunAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            RawPeer? peer = null;
            try
            {
                _waitsFor = "a connection";
                peer = await host.ConnectAsync();
                int exchanges = _random.Next(1, 12);
                for (int i = 0; i < exchanges && await ExchangeAsync(peer); i++)
                {
                }

                Leave(peer);
            }
            catch (TimeoutException)
            {
                ledger.AddWrong($"A client waited without end for {_waitsFor}; it has {peer?.Unread}");
            }
            catch (Exception cut) when (cut is InvalidDataException or IOException or InvalidOperationException or System.Net.Sockets.SocketException)
            {
                Classify(cut);
            }
            finally
            {
                await (peer?.DisposeAsync() ?? ValueTask.CompletedTask);
            }
        }
    }

    /// <summary>A cut that shows is a right end; bytes that are not an answer at all are not.</summary>
    private void Classify(Exception cut)
    {
        ledger.End("cut");
        if (cut is InvalidDataException && cut.Message.StartsWith("Expected ", StringComparison.Ordinal))
        {
            ledger.AddWrong(cut.Message[..Math.Min(200, cut.Message.Length)]);
        }
    }

    private void Leave(RawPeer peer)
    {
        if (_random.Next(3) > 0)
        {
            peer.Leave((Leaving)_random.Next(2));
        }
    }

    private async Task<bool> ExchangeAsync(RawPeer peer)
    {
        int pipelined = _random.Next(10) == 0 ? 3 : 1;
        var requests = new (string Number, string Target, string Body, string Bytes, bool Expects)[pipelined];
        for (int i = 0; i < pipelined; i++)
        {
            requests[i] = NewRequest(mayExpect: pipelined == 1);
        }

        // Who sends several at once has to read meanwhile: the proxy takes no request while nobody takes its answer.
        Task<bool> sending = SendAsync(peer, string.Concat(requests.Select(request => request.Bytes)), mayLeave: pipelined == 1);
        if (pipelined == 1 && !await sending)
        {
            ledger.End("left");
            return false;
        }

        foreach ((string number, string target, string body, _, bool expects) in requests)
        {
            if (_random.Next(40) == 0)
            {
                ledger.End("left");
                return false;
            }

            if (!await ReadAsync(peer, number, target, body, expects))
            {
                return false;
            }
        }

        return await sending;
    }

    private (string Number, string Target, string Body, string Bytes, bool Expects) NewRequest(bool mayExpect)
    {
        string number = ledger.NextNumber();
        string target = Targets[_random.Next(Targets.Length)];
        int length = _random.Next(12) switch { 0 => 150_000, 1 => 0, _ => _random.Next(1, 600) };
        string body = length == 0 ? "" : string.Concat(Enumerable.Repeat(number, (length / number.Length) + 1))[..length];
        bool isChunked = length > 0 && _random.Next(3) == 0;
        bool expects = mayExpect && length > 0 && _random.Next(8) == 0;
        string method = length == 0 ? "GET" : "POST";
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: storm\r\nX-Number: {number}\r\nAuthorization: Bearer t{_random.Next(20)}\r\n");
        head.Append(expects ? "Expect: 100-continue\r\n" : "");
        head.Append(isChunked ? "Transfer-Encoding: chunked\r\n" : length > 0 ? $"Content-Length: {length}\r\n" : "").Append("\r\n");
        string framed = isChunked ? $"{length / 2:x}\r\n{body[..(length / 2)]}\r\n{length - (length / 2):x}\r\n{body[(length / 2)..]}\r\n0\r\n\r\n" : body;
        framed = isChunked && length / 2 == 0 ? $"{length:x}\r\n{body}\r\n0\r\n\r\n" : framed;
        return (number, target, body, head + framed, expects);
    }

    /// <returns>Whether it was sent whole; else this client leaves.</returns>
    private async Task<bool> SendAsync(RawPeer peer, string bytes, bool mayLeave)
    {
        _waitsFor = $"the proxy to take {bytes[..Math.Min(100, bytes.Length)]}";
        int leavesAt = mayLeave && _random.Next(25) == 0 ? _random.Next(bytes.Length) : int.MaxValue;
        int start = 0;
        while (start < bytes.Length)
        {
            if (start >= leavesAt)
            {
                return false;
            }

            int length = Math.Min(bytes.Length - start, _random.Next(4) == 0 ? _random.Next(1, 2000) : 64 * 1024);
            length = leavesAt > start ? Math.Min(length, leavesAt - start) : length;
            if (!await peer.TrySendAsync(bytes.Substring(start, length)))
            {
                return true; // the proxy takes no more: its answer says why
            }

            start += length;
            await Task.Delay(_random.Next(30) == 0 ? _random.Next(20) : 0);
        }

        return true;
    }

    private async Task<bool> ReadAsync(RawPeer peer, string number, string target, string body, bool expects)
    {
        _waitsFor = $"the answer to {target} {number}, of {body.Length} bytes{(expects ? ", expecting" : "")}";
        StrictMessage answer;
        do
        {
            answer = await peer.ReadResponseAsync();
        }
        while (answer.Status is 100 or 102);

        ledger.End($"{answer.Status}");
        // A redirect passes where the request was too large to be kept.
        bool isProxys = answer.Field("X-Number") is null;
        string expected = StormUpstream.BodyOf(target, number, body);
        bool isRight = isProxys
            ? answer.Status is 401 or 408 or 502 or 503 or 504
            : answer.Field("X-Number") == number
                && (answer.Status is 401 or 413
                    || (answer.Status == 307 && target == "/redirect")
                    || (answer.Status == 417 && expects)
                    || (answer.Status == 200 && answer.Body == expected));
        if (!isRight)
        {
            ledger.AddWrong($"{target} {number}: {answer.StartLine}, number {answer.Field("X-Number")}, {answer.Body.Length} of {expected.Length} bytes");
        }

        return answer.Field("Connection") != "close";
    }
}
