using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>A client's <c>initialize</c> request, kept until it is known whether the server speaks a revision with a handshake.</summary>
internal sealed class AwaitedHandshake
{
    /// <summary>The largest <c>initialize</c>, in bytes, that is kept. After a larger one nothing is translated. Real ones have less than 10 KiB.</summary>
    public const int MaxBytes = 1024 * 1024;

    public AwaitedHandshake(MessageBuffer initialize, RpcHead head)
    {
        Message = new ReadOnlySequence<byte>(initialize.Bytes.ToArray());
        Head = head;
    }

    /// <summary>A copy of the request.</summary>
    public ReadOnlySequence<byte> Message { get; }

    public RpcHead Head { get; }

    /// <summary>
    /// The server's error response to the request; null before it has come. It is kept while the server is asked for its revisions. The client gets it if the
    /// server speaks no revision without a handshake.
    /// </summary>
    public ReadOnlySequence<byte>? Refusal { get; set; }

    /// <summary>Whether a message from the server is the answer to the request, or a batch with that answer in it.</summary>
    public bool IsAnsweredBy(in ReadOnlySequence<byte> message, RpcHead head) => head.Kind is MessageKind.Batch
        ? BatchReader.Split(message, BridgeLimits.MaxBatch)?.Exists(part => Answers(MessageScanner.Scan(part))) is true
        : Answers(head);

    private bool Answers(RpcHead head) => head.IsAnswer && head.Id == Head.Id;
}
