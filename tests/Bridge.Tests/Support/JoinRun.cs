using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>A join of eras with both its peers played by the test.</summary>
internal sealed class JoinRun
{
    private const string Initialize =
        """
        {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":{"name":"desktop","version":"1"},
        "capabilities":{"roots":{"listChanged":true},"sampling":{},"elicitation":{},"tasks":{}}}}
        """;

    public JoinRun(long maxKeptBytes = LegacyRequests.MaxKeptBytes)
    {
        ReadOnlySequence<byte> initialize = Pieces.Of(Initialize);
        Join = new LegacyClientJoin(initialize, MessageScanner.Scan(initialize), maxKeptBytes);
    }

    public LegacyClientJoin Join { get; }

    /// <summary>One whose handshake is done, at a server with everything, or with what is given.</summary>
    public static JoinRun Joined(
        string capabilities = """{"tools":{"listChanged":true},"resources":{"subscribe":true}}""", long maxKeptBytes = LegacyRequests.MaxKeptBytes)
    {
        var run = new JoinRun(maxKeptBytes);
        Actions.Told(run.FromServer(Actions.Sent(run.Join.Start()), """{"resultType":"complete","capabilities":""" + capabilities + "}"));
        return run;
    }

    /// <param name="message">What the client says.</param>
    /// <param name="origin">What it lies in; null for memory of its own.</param>
    public IReadOnlyList<EraAction> FromClient(string message, SharedBytes? origin = null)
    {
        ReadOnlySequence<byte> bytes = Pieces.Of(message);
        return Join.FromClient(bytes, MessageScanner.Scan(bytes), origin);
    }

    /// <summary>Answers a request with a result.</summary>
    public IReadOnlyList<EraAction> FromServer(JsonElement request, string result) =>
        MessageFromServer(request, $$"""{"jsonrpc":"2.0","id":{{Id(request)}},"result":{{result}}}""");

    /// <summary>Answers a request with an error.</summary>
    public IReadOnlyList<EraAction> ErrorFromServer(JsonElement request, int code) =>
        MessageFromServer(request, $$$"""{"jsonrpc":"2.0","id":{{{Id(request)}}},"error":{"code":{{{code}}},"message":"no"}}""");

    /// <summary>A notification that belongs to no stream of ours.</summary>
    public IReadOnlyList<EraAction> Notified(string message)
    {
        ReadOnlySequence<byte> bytes = Pieces.Of(message);
        return Join.FromServer(null, bytes, MessageScanner.Scan(bytes));
    }

    /// <summary>A message that answers a request, or comes on its stream.</summary>
    public IReadOnlyList<EraAction> MessageFromServer(JsonElement request, string message)
    {
        ReadOnlySequence<byte> bytes = Pieces.Of(message);
        return Join.FromServer(IdOf(request), bytes, MessageScanner.Scan(bytes));
    }

    private static string Id(JsonElement request) => request.GetProperty("id").GetRawText();

    private static MessageId IdOf(JsonElement request) =>
        MessageScanner.Scan(Pieces.Of($$"""{"jsonrpc":"2.0","method":"x","id":{{Id(request)}}}""")).Id!.Value;
}
