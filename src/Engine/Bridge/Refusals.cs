using System.Buffers;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>Answers messages of the client that do not go on.</summary>
/// <param name="answers">The way to the client.</param>
/// <param name="logger">Logs each.</param>
internal sealed class Refusals(AnswerQueue answers, ILogger logger)
{
    /// <summary>Answers a message by the bridge's own table.</summary>
    /// <param name="reason">Why it does not go on.</param>
    /// <param name="id">The raw JSON of its id; empty if it is not known.</param>
    public ValueTask SendAsync(BridgeFaultReason reason, ReadOnlyMemory<byte> id) =>
        BridgeFault.For(reason) is var fault ? SendAsync(fault.Code, fault.Sentence, fault.Reason, id) : default;

    /// <summary>Answers something that is not a message.</summary>
    public ValueTask SendAsync(MessageFault fault, ReadOnlyMemory<byte> id) => SendAsync(fault.Code(), fault.Sentence(), "", id);

    private ValueTask SendAsync(int code, string sentence, string reason, ReadOnlyMemory<byte> id)
    {
        logger.ClientMessageRefused(sentence);
        return answers.SendAsync(new ReadOnlySequence<byte>(ErrorMessage.Build(code, sentence, reason, id.Span)));
    }
}
