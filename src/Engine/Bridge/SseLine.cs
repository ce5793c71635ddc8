namespace McpProxyFast.Bridge;

/// <summary>How the opening of a stream of HTTP+SSE went.</summary>
/// <param name="Endpoint">Where messages are posted; null where the stream could not be used.</param>
/// <param name="Error">What the server, or the proxy, has answered in its place; null where there was no answer.</param>
internal sealed record SseOpening(Uri? Endpoint, ErrorAnswer? Error);

/// <summary>One stream of HTTP+SSE, with the session that it stands for.</summary>
internal sealed class SseLine
{
    private readonly TaskCompletionSource<SseOpening> _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SseOpening> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when it is known where to post, or that the stream cannot be used.</summary>
    public Task<SseOpening> Opening => _opening.Task;

    /// <summary>Completed when the client's messages may go.</summary>
    public Task<SseOpening> Ready => _ready.Task;

    /// <summary>Completed when the stream has ended: no answer comes on it any more.</summary>
    public Task Ended => _ended.Task;

    public void Open(SseOpening opening) => _opening.TrySetResult(opening);

    public void GetReady(SseOpening opening) => _ready.TrySetResult(opening);

    public void End(SseOpening nothing)
    {
        _ended.TrySetResult();
        _opening.TrySetResult(nothing);
        _ready.TrySetResult(nothing);
    }
}
