namespace McpProxyFast.Bridge;

/// <summary>How the rest of a stream that answers a message is fetched: behind which event, after which pause, and for how long that is tried.</summary>
/// <remarks>For one stream, and not for several threads at once. The revision of the message has to be one with resumption.</remarks>
/// <param name="patience">How long it is tried while the server is gone.</param>
/// <param name="clock">Measures the pauses.</param>
internal sealed class StreamResumption(TimeSpan patience, TimeProvider clock)
{
    private readonly RetryWindow _window = new(clock, patience, signInTimeout: TimeSpan.Zero);
    private readonly ReopenPause _reopening = new();

    /// <summary>The pause before the rest is asked for.</summary>
    private TimeSpan _pause = BridgeLimits.DefaultRetry;

    /// <summary>The stream that was read last has brought something.</summary>
    private bool _hasBrought;

    /// <summary>The last event that has come; null if none had an id, so that nothing can be fetched.</summary>
    public string? LastId { get; private set; }

    /// <summary>Something came that is no message: it may have been the answer.</summary>
    public bool WasBroken { get; set; }

    /// <summary>Whether to ask for what follows the last event.</summary>
    public bool IsPossible => LastId is not null && (_hasBrought || !WasBroken);

    /// <summary>Notes that a stream has ended, or was cut.</summary>
    /// <param name="events">Its reader.</param>
    /// <param name="hasBrought">Whether an event with data has come on it.</param>
    public void NoteEnd(EventStreamReader events, bool hasBrought)
    {
        LastId = events.LastId ?? LastId;
        _hasBrought = hasBrought;
        _pause = _reopening.AfterStream(events.Retry, hasBrought);
    }

    /// <summary>Notes that the rest has been asked for and comes.</summary>
    public void NoteOpened() => _window.Restart();

    /// <summary>Waits before the rest is asked for: as long as the server wants it, within bounds.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => Task.Delay(_pause, clock, cancellationToken);

    /// <summary>Waits after an attempt that has opened no stream, if there is to be another.</summary>
    /// <param name="status">The status of the response; null if the exchange was cut before one had begun.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether to try again: the server, or what stands before it, is on its way down, or up.</returns>
    public ValueTask<bool> MayTryAgainAsync(int? status, CancellationToken cancellationToken) =>
        status is null or 429 or 502 or 503 or 504 ? _window.PauseAsync(patience, cancellationToken) : ValueTask.FromResult(false);
}
