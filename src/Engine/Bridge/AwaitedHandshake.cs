using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>A client's <c>initialize</c>, while it is not known whether the server has a handshake.</summary>
internal sealed class AwaitedHandshake
{
    /// <summary>The largest that is kept, to be translated; real ones are below 10 KiB.</summary>
    public const int MaxBytes = 1024 * 1024;

    public AwaitedHandshake(MessageBuffer initialize, RpcHead head)
    {
        Message = new ReadOnlySequence<byte>(initialize.Bytes.ToArray());
        Head = head;
    }

    /// <summary>The request; its own copy.</summary>
    public ReadOnlySequence<byte> Message { get; }

    public RpcHead Head { get; }

    /// <summary>The server's answer, while the server is asked what it speaks; null before.</summary>
    public ReadOnlySequence<byte>? Refusal { get; set; }

    /// <summary>Whether a message of the server answers it, or has its answer among others.</summary>
    public bool IsAnsweredBy(in ReadOnlySequence<byte> message, RpcHead head) => head.Kind is MessageKind.Batch
        ? BatchReader.Split(message, BridgeLimits.MaxBatch)?.Exists(part => Answers(MessageScanner.Scan(part))) is true
        : Answers(head);

    private bool Answers(RpcHead head) => head.IsAnswer && head.Id == Head.Id;
}
