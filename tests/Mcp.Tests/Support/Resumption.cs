namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>Tells a tool when the client has come back for the rest of its stream.</summary>
public sealed class Resumption
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Asked => _asked.Task;

    public void Ask() => _asked.TrySetResult();
}
