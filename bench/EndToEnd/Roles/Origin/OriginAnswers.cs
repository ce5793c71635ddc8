using System.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>Every answer of the origin, made once. Not shared between threads: answers are patched in place.</summary>
internal sealed class OriginAnswers(OriginPlan plan)
{
    private const int ChunkBytes = 16 * 1024;

    private static readonly string SmallHead = HeadOf("application/json", SmallPost.AnswerLength);
    private static readonly string RealHead =
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{RealHeads.AnswerFields}Content-Length: {SmallPost.AnswerLength}\r\n\r\n";

    private readonly byte[] _small = Join(SmallHead, SmallPost.NewAnswer());
    private readonly byte[] _smallWithRealHead = Join(RealHead, SmallPost.NewAnswer());
    private readonly byte[] _real = Encoding.ASCII.GetBytes($"Bearer {RealHeads.Token}");
    private readonly byte[] _injected = Encoding.ASCII.GetBytes($"Bearer {plan.InjectedToken}");
    private readonly Dictionary<(long Bytes, bool Chunked), byte[]> _large = [];

    public ReadOnlyMemory<byte> DiscoveryDocument { get; } = Json(plan.DiscoveryDocument);

    public ReadOnlyMemory<byte> KeySet { get; } = Json(plan.KeySet);

    /// <summary>The answer to an exchange (RFC 8693 §2.2.1).</summary>
    public ReadOnlyMemory<byte> Exchanged { get; } = Json(
        $$"""{"access_token":"{{plan.InjectedToken}}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":86400}""");

    public ReadOnlyMemory<byte> NotFound { get; } = Empty("404 Not Found");

    public ReadOnlyMemory<byte> Unauthorized { get; } = Empty("401 Unauthorized");

    public ReadOnlyMemory<byte> BadRequest { get; } = Empty("400 Bad Request");

    public static ReadOnlyMemory<byte> StreamHead(bool chunked) => Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n"));

    public static ReadOnlyMemory<byte> Received(long bytes) => Json($"{{\"received\":{bytes}}}");

    public bool IsInjected(ReadOnlySpan<byte> authorization) => authorization.SequenceEqual(_injected);

    /// <summary>Whether it is the token of <see cref="RealHeads"/>, whole.</summary>
    public bool IsReal(ReadOnlySpan<byte> authorization) => authorization.SequenceEqual(_real);

    /// <summary>The answer to a call. Valid until the next one.</summary>
    public ReadOnlyMemory<byte> Small(ReadOnlySpan<byte> call) => Answer(_small, SmallHead.Length, call);

    /// <summary>The same under the head of a real server.</summary>
    public ReadOnlyMemory<byte> SmallWithRealHead(ReadOnlySpan<byte> call) => Answer(_smallWithRealHead, RealHead.Length, call);

    public ReadOnlyMemory<byte> Large(long bytes, bool chunked)
    {
        if (!_large.TryGetValue((bytes, chunked), out byte[]? answer))
        {
            var body = new byte[bytes];
            Pattern.Fill(body);
            answer = chunked ? Chunked(body) : Join(HeadOf("application/octet-stream", bytes), body);
            _large.Add((bytes, chunked), answer);
        }

        return answer;
    }

    private ReadOnlyMemory<byte> Answer(byte[] answer, int headLength, ReadOnlySpan<byte> call)
    {
        ReadOnlySpan<byte> id = SmallPost.IdOf(call);
        if (id.IsEmpty)
        {
            return BadRequest;
        }

        id.CopyTo(answer.AsSpan(headLength + SmallPost.AnswerIdOffset));
        return answer;
    }

    private static byte[] Chunked(byte[] body)
    {
        using var answer = new MemoryStream();
        answer.Write("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8);
        foreach (byte[] chunk in body.Chunk(ChunkBytes))
        {
            answer.Write(Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"));
            answer.Write(chunk);
            answer.Write("\r\n"u8);
        }

        answer.Write("0\r\n\r\n"u8);
        return answer.ToArray();
    }

    private static byte[] Json(string text) => Join(HeadOf("application/json", Encoding.UTF8.GetByteCount(text)), Encoding.UTF8.GetBytes(text));

    private static byte[] Empty(string status) => Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");

    private static string HeadOf(string type, long length) =>
        $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nCache-Control: no-cache\r\nContent-Length: {length}\r\n\r\n";

    private static byte[] Join(string head, byte[] body) => [.. Encoding.ASCII.GetBytes(head), .. body];
}
