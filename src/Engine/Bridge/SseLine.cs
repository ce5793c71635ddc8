using System.Buffers;
using System.Text;

namespace McpProxyFast.Bridge;

/// <summary>How the opening of a stream of HTTP+SSE went.</summary>
/// <param name="Endpoint">Where messages are posted; null if the stream cannot be used.</param>
/// <param name="Error">What the server, or the proxy, has answered in its place; null if there was no answer.</param>
/// <param name="IsSessionLost">The stream opened, and the session that it began could not be initialized.</param>
internal sealed record SseOpening(Uri? Endpoint, ErrorAnswer? Error, bool IsSessionLost)
{
    /// <summary>Longest address that is believed.</summary>
    private const int MaxEndpointBytes = 4 * 1024;

    /// <summary>The server could not be reached, or its stream was cut.</summary>
    public static SseOpening Cut { get; } = new(null, null, IsSessionLost: false);

    /// <summary>The stream opened, and the session that it began could not be initialized.</summary>
    public static SseOpening SessionLost { get; } = new(null, null, IsSessionLost: true);

    /// <summary>Another attempt has no chance before something changes: the server refuses the stream, or the session.</summary>
    public bool IsFinal => IsSessionLost || Error is { Status: < 500 and not 429 };

    /// <summary>The server has said where messages are posted.</summary>
    /// <param name="address">What it said.</param>
    /// <param name="target">What that is relative to.</param>
    /// <returns>Null for an address on another origin than the server's, which nothing is sent to.</returns>
    public static SseOpening? At(in ReadOnlySequence<byte> address, Uri target) =>
        address.Length <= MaxEndpointBytes
        && Uri.TryCreate(target, Encoding.UTF8.GetString(address), out Uri? endpoint)
        && endpoint.GetLeftPart(UriPartial.Authority) == target.GetLeftPart(UriPartial.Authority)
            ? new SseOpening(new Uri(ProxyLink.Target.GetLeftPart(UriPartial.Authority) + endpoint.PathAndQuery), null, IsSessionLost: false)
            : null;

    /// <summary>The server, or the proxy, has answered with something else than a stream.</summary>
    public static SseOpening Refused(ErrorAnswer error) => new(null, error, IsSessionLost: false);
}

/// <summary>One stream of HTTP+SSE, with the session that it stands for.</summary>
internal sealed class SseLine
{
    private readonly TaskCompletionSource<SseOpening> _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SseOpening> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set once the session could not be initialized; the stream is closed then.</summary>
    private volatile bool _isSessionLost;

    /// <summary>Completed when it is known where to post, or that the stream cannot be used.</summary>
    public Task<SseOpening> Opening => _opening.Task;

    /// <summary>Completed when the client's messages may go, or will not.</summary>
    public Task<SseOpening> Ready => _ready.Task;

    /// <summary>Completed when the stream has ended: no answer comes on it any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The session could not be initialized.</summary>
    public bool IsSessionLost => _isSessionLost;

    /// <summary>How long the server wants to be left alone before the next stream; null if it has not said so. Touched by the reading loop alone.</summary>
    public TimeSpan? Retry { get; set; }

    /// <summary>A message came, beside those by which the session was initialized. Touched by the reading loop alone.</summary>
    public bool HasBrought { get; set; }

    public void Open(SseOpening opening) => _opening.TrySetResult(opening);

    public void GetReady(SseOpening opening) => _ready.TrySetResult(opening);

    /// <summary>Those who wait for the session are told that there is none, once the stream has ended.</summary>
    public void LoseSession() => _isSessionLost = true;

    /// <summary>Says that the stream has ended.</summary>
    /// <param name="outcome">The result for the callers that still wait for the stream.</param>
    public void End(SseOpening outcome)
    {
        _ended.TrySetResult();
        _opening.TrySetResult(outcome);
        _ready.TrySetResult(outcome);
    }
}
