using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>
/// The event stream of a session on which the server sends messages that answer no request. It is opened with a GET after the handshake, and opened again until
/// the session ends.
/// </summary>
#pragma warning disable CA1001 // _closing has nothing that needs disposal.
internal sealed class ServerStream
#pragma warning restore CA1001
{
    private readonly UpstreamParts _parts;
    private readonly Session _session;
    private readonly Func<Task<bool>> _recover;
    private readonly ReopenPause _reopening = new();

    /// <summary>Cancelled to close the stream. It has nothing that needs disposal: no timer, and no link to another token.</summary>
    private readonly CancellationTokenSource _closing = new();

    /// <summary>The id of the last event, after which the server continues; null if no event had an id, or the server has refused to continue.</summary>
    private string? _lastId;

    /// <summary>How long to wait before the stream is opened again.</summary>
    private TimeSpan _pause = BridgeLimits.DefaultRetry;

    /// <summary>Whether the server has opened the stream at least once. From then on a 404 means that the session has ended.</summary>
    private bool _hasOpened;

    /// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
    /// <param name="session">The session that the stream belongs to.</param>
    /// <param name="recover">Makes a new session. Called if the server does not know this one any more.</param>
    public ServerStream(UpstreamParts parts, Session session, Func<Task<bool>> recover)
    {
        (_parts, _session, _recover) = (parts, session, recover);
    }

    /// <summary>Opens the stream, and opens it again whenever it ends.</summary>
    public void Start() => _ = RunAsync(); // never throws

    public void Close() => _closing.Cancel();

    private async Task RunAsync()
    {
        // The link to the conversation's token ends with the stream: a conversation may have many streams one after the other.
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(_parts.Ending, _closing.Token);
        try
        {
            while (await OpenOrFailAsync(closing.Token).ConfigureAwait(false))
            {
                await Task.Delay(_pause, _parts.Settings.Clock, closing.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The stream was closed.
        }
    }

    /// <summary>Opens the stream once. After an unexpected exception, which is logged, the stream is to be opened again.</summary>
    private async Task<bool> OpenOrFailAsync(CancellationToken closing)
    {
        try
        {
            return await OpenAsync(closing).ConfigureAwait(false);
        }
        catch (Exception bug) when (!closing.IsCancellationRequested)
        {
            _parts.Settings.Logger.BridgeFailed(bug);
            _pause = _reopening.AfterFailure();
            return true;
        }
    }

    /// <summary>Opens the stream once, and passes its messages on to the client until it ends.</summary>
    /// <returns>Whether to open it again.</returns>
    private async Task<bool> OpenAsync(CancellationToken closing)
    {
        using HttpResponseMessage? response = await StreamOpening.GetAsync(_parts, _session, _lastId, closing).ConfigureAwait(false);
        if (response is { IsSuccessStatusCode: true } && AnswerBody.IsEventStream(response))
        {
            _hasOpened = true;
            await ReadAsync(response, closing).ConfigureAwait(false);
            return true;
        }

        if (response is not null)
        {
            ErrorAnswer error = await ErrorAnswer.ReadAsync(response, _parts.Large, closing).ConfigureAwait(false);

            // A 404 means that the session has ended. But at the first attempt it means that the server has no such stream, and a new session changes nothing.
            if (_session.Id is not null && error.IsSessionLost && _hasOpened)
            {
                _ = _recover(); // the new session has a stream of its own
                return false;
            }

            if (!MayOpenAgain(error))
            {
                _parts.Settings.Logger.NoServerStream(error.Status);
                return false;
            }
        }

        _pause = _reopening.AfterFailure();
        return true;
    }

    /// <summary>Whether another attempt to open the stream may succeed.</summary>
    /// <remarks>
    /// A stream that was open before may be refused because the server has not noticed that it was lost (409), or because it does not know the last event any
    /// more. In the second case the next attempt does not name an event.
    /// </remarks>
    private bool MayOpenAgain(ErrorAnswer error)
    {
        if (error.Status is 429 or > 500 || (_hasOpened && error.Status == 409))
        {
            return true;
        }

        bool mayBeForEvent = _lastId is not null;
        _lastId = null;
        return mayBeForEvent || error.Status == 500;
    }

    private async Task ReadAsync(HttpResponseMessage response, CancellationToken closing)
    {
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(closing).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                using var events = new EventStreamReader(body, _parts.Large);
                await ReadAsync(events, closing).ConfigureAwait(false);
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or InvalidOperationException)
        {
            // The stream was lost. The loop opens it again.
        }
    }

    private async Task ReadAsync(EventStreamReader events, CancellationToken closing)
    {
        bool hasBrought = false;
        try
        {
            while (await events.ReadAsync(closing).ConfigureAwait(false) is { } next)
            {
                using MessageBuffer data = next.Data;
                hasBrought = true;
                _lastId = events.LastId ?? _lastId;
                if (next.IsTooLarge)
                {
                    await _parts.Delivery.DropAsync(next).ConfigureAwait(false);
                }
                else if (next.Name == "message")
                {
                    await _parts.Delivery.DeliverAsync(data.Bytes, carrier: null).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _lastId = events.LastId ?? _lastId;
            _pause = _reopening.AfterStream(events.Retry, hasBrought);
        }
    }
}
