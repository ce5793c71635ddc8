using System.Buffers;
using System.Text;

namespace McpProxyFast.Bridge;

/// <summary>The outcome of opening an event stream of HTTP+SSE.</summary>
/// <param name="Endpoint">The URL that messages are posted to; null if the stream cannot be used.</param>
/// <param name="Error">The error response that came in place of a stream; null if there was none.</param>
/// <param name="IsSessionLost">Whether the stream was opened, but its new session could not be initialized.</param>
internal sealed record SseOpening(Uri? Endpoint, ErrorAnswer? Error, bool IsSessionLost)
{
    /// <summary>The maximum length of a URL in an <c>endpoint</c> event, in bytes. A longer one is refused.</summary>
    private const int MaxEndpointBytes = 4 * 1024;

    /// <summary>The outcome if there was no response, or the stream has ended.</summary>
    public static SseOpening Cut { get; } = new(null, null, IsSessionLost: false);

    /// <summary>The outcome if the stream was opened, but its new session could not be initialized.</summary>
    public static SseOpening SessionLost { get; } = new(null, null, IsSessionLost: true);

    /// <summary>Whether another attempt is pointless for now: the server has refused the stream, or the new session.</summary>
    public bool IsFinal => IsSessionLost || Error is { Status: < 500 and not 429 };

    /// <summary>Makes the outcome if the stream has named the URL that messages are posted to.</summary>
    /// <param name="address">The URL in the <c>endpoint</c> event.</param>
    /// <param name="target">The server's URL, against which <paramref name="address"/> is resolved.</param>
    /// <returns>The outcome; null if the URL is invalid, too long, or has another origin than the server. Nothing is sent to such a URL.</returns>
    public static SseOpening? At(in ReadOnlySequence<byte> address, Uri target) =>
        address.Length <= MaxEndpointBytes
        && Uri.TryCreate(target, Encoding.UTF8.GetString(address), out Uri? endpoint)
        && endpoint.GetLeftPart(UriPartial.Authority) == target.GetLeftPart(UriPartial.Authority)
            ? new SseOpening(new Uri(ProxyLink.Target.GetLeftPart(UriPartial.Authority) + endpoint.PathAndQuery), null, IsSessionLost: false)
            : null;

    /// <summary>Makes the outcome if an error response came in place of a stream.</summary>
    public static SseOpening Refused(ErrorAnswer error) => new(null, error, IsSessionLost: false);
}

/// <summary>One event stream of HTTP+SSE. It is also the session: a new stream is a new session.</summary>
internal sealed class SseLine
{
    private readonly TaskCompletionSource<SseOpening> _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SseOpening> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the session could not be initialized. If so, the stream is closed.</summary>
    private volatile bool _isSessionLost;

    /// <summary>Ends when the URL to post to is known, or the stream cannot be used.</summary>
    public Task<SseOpening> Opening => _opening.Task;

    /// <summary>Ends when the client's messages may be sent, or the stream cannot be used.</summary>
    public Task<SseOpening> Ready => _ready.Task;

    /// <summary>Ends when the stream has ended. No answer comes on it any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether the session could not be initialized.</summary>
    public bool IsSessionLost => _isSessionLost;

    /// <summary>
    /// How long the server wants the bridge to wait before it opens the next stream (<c>retry</c>); null if it has not said. Used only by the loop that reads
    /// the stream.
    /// </summary>
    public TimeSpan? Retry { get; set; }

    /// <summary>Whether a message has come after the stream was ready for the client's messages. Used only by the loop that reads the stream.</summary>
    public bool HasBrought { get; set; }

    public void Open(SseOpening opening) => _opening.TrySetResult(opening);

    public void GetReady(SseOpening opening) => _ready.TrySetResult(opening);

    /// <summary>Notes that the session could not be initialized. Messages that wait for it fail once the stream has ended.</summary>
    public void LoseSession() => _isSessionLost = true;

    /// <summary>Notes that the stream has ended.</summary>
    /// <param name="outcome">The result for the callers that still wait for the stream.</param>
    public void End(SseOpening outcome)
    {
        _ended.TrySetResult();
        _opening.TrySetResult(outcome);
        _ready.TrySetResult(outcome);
    }
}
