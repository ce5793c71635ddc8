using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Support;

/// <summary>A watch whose calls can be awaited.</summary>
internal sealed class RecordingWatch : IConnectionWatch
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _bytes = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => _ended.Task;

    public Task Bytes => _bytes.Task;

    public void OnPeerEnded() => _ended.SetResult();

    public void OnUnexpectedBytes() => _bytes.SetResult();
}
