using System.Buffers;

namespace McpProxyFast.Bridge;

/// <summary>Takes the answer to a message of the bridge's own, which goes to nobody else.</summary>
/// <param name="read">Reads the answer, while its bytes are valid.</param>
internal sealed class OwnAnswer(Action<ReadOnlySequence<byte>> read)
{
    /// <summary>Completed when the answer has been read, or none comes.</summary>
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The answer has been read, or none comes.</summary>
    public Task Over => _over.Task;

    public void Take(in ReadOnlySequence<byte> answer)
    {
        read(answer);
        End();
    }

    /// <summary>Nothing more comes.</summary>
    public void End() => _over.TrySetResult();
}
