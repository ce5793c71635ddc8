using System.Buffers;

namespace McpProxyFast.Bridge;

/// <summary>Receives the answer to a message that the bridge itself has made. The client does not get this answer.</summary>
/// <param name="read">Reads the answer. The bytes are valid only during the call.</param>
internal sealed class OwnAnswer(Action<ReadOnlySequence<byte>> read)
{
    /// <summary>Completed when the answer has been read, or no answer will come.</summary>
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the answer has been read, or no answer will come.</summary>
    public Task Over => _over.Task;

    public void Take(in ReadOnlySequence<byte> answer)
    {
        read(answer);
        End();
    }

    /// <summary>Called when the answer has been read, or no answer will come.</summary>
    public void End() => _over.TrySetResult();
}
