using System.Buffers;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>Sends error answers to messages of the client that are not sent to the server.</summary>
/// <param name="answers">Sends the answers to the client.</param>
/// <param name="logger">Gets a line for each refused message.</param>
internal sealed class Refusals(AnswerQueue answers, ILogger logger)
{
    /// <summary>Answers a message with the error for a reason.</summary>
    /// <param name="reason">Why the message is not sent to the server.</param>
    /// <param name="id">The raw JSON of the message's id; empty if it is not known.</param>
    public ValueTask SendAsync(BridgeFaultReason reason, ReadOnlyMemory<byte> id) =>
        BridgeFault.For(reason) is var fault ? SendAsync(fault.Code, fault.Sentence, fault.Reason, id) : default;

    /// <summary>Answers input that is not a valid JSON-RPC message.</summary>
    public ValueTask SendAsync(MessageFault fault, ReadOnlyMemory<byte> id) => SendAsync(fault.Code(), fault.Sentence(), "", id);

    private ValueTask SendAsync(int code, string sentence, string reason, ReadOnlyMemory<byte> id)
    {
        logger.ClientMessageRefused(sentence);
        return answers.SendAsync(new ReadOnlySequence<byte>(ErrorMessage.Build(code, sentence, reason, id.Span)));
    }
}
