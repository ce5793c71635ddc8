using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>The stream of what the server says by itself in a session: opened after the handshake and kept, as long as the session lasts.</summary>
internal sealed class ServerStream
{
    private readonly UpstreamParts _parts;
    private readonly Session _session;
    private readonly Func<Task<bool>> _recover;
    private readonly ReopenPause _reopening = new();

    /// <summary>Cancelled to close the stream. It is not disposed of, as nothing in it needs that.</summary>
#pragma warning disable CA2213
    private readonly CancellationTokenSource _closing;
#pragma warning restore CA2213

    /// <summary>The last event that has come; null if none had an id.</summary>
    private string? _lastId;

    /// <summary>The pause before the stream is opened again.</summary>
    private TimeSpan _pause = BridgeLimits.DefaultRetry;

    /// <summary>The server has opened it once: from then on a 404 says that the session has ended.</summary>
    private bool _hasOpened;

    /// <param name="parts">What the conversation shares with its transports.</param>
    /// <param name="session">The session.</param>
    /// <param name="recover">Makes a new session if the server does not know this one.</param>
    public ServerStream(UpstreamParts parts, Session session, Func<Task<bool>> recover)
    {
        (_parts, _session, _recover) = (parts, session, recover);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(parts.Ending);
    }

    /// <summary>Opens the stream and keeps it.</summary>
    public void Start() => _ = RunAsync(_closing.Token); // never throws

    public void Close() => _closing.Cancel();

    private async Task RunAsync(CancellationToken closing)
    {
        try
        {
            while (await OpenOrFailAsync(closing).ConfigureAwait(false))
            {
                await Task.Delay(_pause, _parts.Settings.Clock, closing).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Closed.
        }
    }

    /// <summary>Nothing that the server sends ends the loop.</summary>
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

    /// <summary>Opens the stream once and passes on what comes.</summary>
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

            // Before, it comes of a server that has no such stream: a new session would get the same answer, again and again.
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

    /// <summary>Whether the server may open the stream next time.</summary>
    /// <remarks>
    /// A stream that was open may be refused because the server still holds the one that was cut (409), or knows the last event no more: then it is asked
    /// for without.
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
            // It is opened again.
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
                if (next is { IsTooLarge: false, Name: "message" })
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
