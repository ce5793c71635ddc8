namespace McpProxyFast.Bridge;

/// <summary>Decides how the rest of an event stream is fetched: from which event on, after which pause, and for how long to try.</summary>
/// <remarks>Used for one stream, by one thread at a time. The protocol revision of the message must be one that allows streams to be resumed.</remarks>
/// <param name="patience">How long to try while the server cannot be reached.</param>
/// <param name="clock">Measures the pauses.</param>
internal sealed class StreamResumption(TimeSpan patience, TimeProvider clock)
{
    private readonly RetryWindow _window = new(clock, patience, signInTimeout: TimeSpan.Zero);
    private readonly ReopenPause _reopening = new();

    /// <summary>The pause before the rest is fetched.</summary>
    private TimeSpan _pause = BridgeLimits.DefaultRetry;

    /// <summary>Whether the stream that was read last had an event with data.</summary>
    private bool _hasBrought;

    /// <summary>The id of the last event; null if no event had an id. Then nothing can be fetched.</summary>
    public string? LastId { get; private set; }

    /// <summary>Whether an event was not a JSON-RPC message. It may have been the answer.</summary>
    public bool WasBroken { get; set; }

    /// <summary>
    /// Whether the rest of the stream can be fetched and may contain the answer. After an invalid event, this is so only if the last stream had an event.
    /// </summary>
    public bool IsPossible => LastId is not null && (_hasBrought || !WasBroken);

    /// <summary>Notes that the stream, or a stream with the rest of it, has ended or was lost.</summary>
    /// <param name="events">The reader of that stream.</param>
    /// <param name="hasBrought">Whether the stream had an event with data.</param>
    public void NoteEnd(EventStreamReader events, bool hasBrought)
    {
        LastId = events.LastId ?? LastId;
        _hasBrought = hasBrought;
        _pause = _reopening.AfterStream(events.Retry, hasBrought);
    }

    /// <summary>Notes that a stream with the rest has been opened. The time limit for attempts starts again after this.</summary>
    public void NoteOpened() => _window.Restart();

    /// <summary>Waits before the rest is fetched: for the time that the server has set with <c>retry</c>, within bounds.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => Task.Delay(_pause, clock, cancellationToken);

    /// <summary>Waits after an attempt that opened no stream, if another attempt is to be made.</summary>
    /// <param name="status">The status of the response; null if the connection ended before a response had begun.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether to try again. That is so if the server, or a gateway in front of it, may be stopping or starting.</returns>
    public ValueTask<bool> MayTryAgainAsync(int? status, CancellationToken cancellationToken) =>
        status is null or 429 or 502 or 503 or 504 ? _window.PauseAsync(patience, cancellationToken) : ValueTask.FromResult(false);
}
