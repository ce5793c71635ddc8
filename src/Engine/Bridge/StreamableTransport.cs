using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>The transport Streamable HTTP: each message is a POST. The answer is the response's body, or an event on the response's stream.</summary>
internal sealed class StreamableTransport : UpstreamTransport
{
    private readonly UpstreamParts _parts;
    private readonly Reachability _reachability;
    private readonly SessionRecovery _recovery;

    /// <summary>The pauses before new sessions that the server's own stream needs.</summary>
    private readonly RecoveryPause _streamLosses;

    /// <summary>Guards the session, its stream and its recovery.</summary>
    private readonly Lock _gate = new();

    /// <summary>The session that the last <c>initialize</c> has begun; null before that, and in revision 2026-07-28.</summary>
    private Session? _session;

    /// <summary>The session's stream for messages that answer no request; null if it has not been opened.</summary>
    private ServerStream? _stream;

    /// <summary>The last recovery of a lost session. All messages that have lost the session wait for it. Null before the first recovery.</summary>
    private Task<bool>? _recovering;

    /// <summary>Whether the server has accepted a POST, so that it is known to speak this transport.</summary>
    private volatile bool _isEstablished;

    public StreamableTransport(UpstreamParts parts)
    {
        _parts = parts;
        _reachability = new Reachability(parts.Settings);
        _recovery = new SessionRecovery(parts, this);
        _streamLosses = new RecoveryPause(parts.Settings.Clock);
    }

    /// <summary>What to do after one attempt to send a message.</summary>
    private enum Next
    {
        Over,
        Again,
        SessionLost,
        Unsuitable,
    }

    private Session? Current
    {
        get
        {
            lock (_gate)
            {
                return _session;
            }
        }
    }

    public override async Task<SendingEnd> SendAsync(ClientMessage message)
    {
        var patience = new RetryWindow(_parts.Settings, waitsForPerson: message.IsInitialize || Current is null);
        while (true)
        {
            Session? session = message.IsInitialize ? null : Current;
            switch (await TryAsync(message, session, patience).ConfigureAwait(false))
            {
                case Next.Over:
                    return SendingEnd.Over;
                case Next.Unsuitable:
                    return SendingEnd.Unsuitable;
                case Next.SessionLost when message.WasSentAgain || !await RecoverAsync(session!).ConfigureAwait(false):
                    await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.SessionLost).ConfigureAwait(false);
                    return SendingEnd.Over;
                case Next.SessionLost:
                    message.WasSentAgain = true;
                    break;
                default:
                    break;
            }
        }
    }

    public override void OnInitialized(ClientMessage message, InitializeAnswer answer)
    {
        ServerStream? old;
        Session? replaced;
        lock (_gate)
        {
            (replaced, _session) = (_session, new Session(message.GivenSession, answer.Version));
            message.GivenSession = null; // from now on, _session keeps the id, and the session ends with the conversation
            (old, _stream) = (_stream, null);
        }

        old?.Close();
        if (!message.IsOwn && replaced?.Id != Current?.Id)
        {
            _ = EndAsync(replaced); // the client has replaced the session with a new initialize
        }
    }

    public override async Task EndAsync()
    {
        ServerStream? stream;
        Session? session;
        lock (_gate)
        {
            (stream, session) = (_stream, _session);
            (_stream, _session) = (null, null);
        }

        stream?.Close();
        await EndAsync(session).ConfigureAwait(false);
    }

    /// <summary>Ends a session at the server, if there is one. Never throws.</summary>
    private async Task EndAsync(Session? session)
    {
        if (session?.Id is null)
        {
            return;
        }

        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, ProxyLink.Target);
            session.AddTo(request);
            using var time = new CancellationTokenSource(BridgeLimits.FarewellTime, _parts.Settings.Clock);
            using HttpResponseMessage response = await _parts.SendAsync(request, time.Token).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException)
        {
            // The server could not be told. It will drop the session after a time.
        }
    }

    /// <summary>Opens the session's stream for messages that answer no request, unless it has been opened before.</summary>
    internal void OpenStream()
    {
        ServerStream? opened = null;
        lock (_gate)
        {
            if (_session is { } session && _stream is null)
            {
                opened = _stream = new ServerStream(_parts, session, () => RecoverForStreamAsync(session));
            }
        }

        opened?.Start();
    }

    /// <summary>Makes a new session in place of one that the server has ended. All messages that have lost the session share one recovery.</summary>
    /// <returns>Whether there is a new session.</returns>
    internal Task<bool> RecoverAsync(Session lost)
    {
        lock (_gate)
        {
            if (_recovering is { IsCompleted: false })
            {
                return _recovering;
            }

            return _session != lost ? Task.FromResult(_session is not null) : _recovering = _recovery.RunAsync();
        }
    }

    /// <summary>Makes a new session because the stream of the last one cannot be opened again. The pauses before it grow if that happens often.</summary>
    private async Task<bool> RecoverForStreamAsync(Session lost)
    {
        try
        {
            await Task.Delay(_streamLosses.Next(), _parts.Settings.Clock, _parts.Ending).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false; // the conversation has ended
        }

        return await RecoverAsync(lost).ConfigureAwait(false);
    }

    private async Task<Next> TryAsync(ClientMessage message, Session? session, RetryWindow patience)
    {
        HeaderFields fields = RequestFields.For(message, session is not null, _parts.Delivery.Tools);
        if (fields.Fault is { } wrong)
        {
            await _parts.Delivery.RefuseAllAsync(message, wrong).ConfigureAwait(false);
            return Next.Over;
        }

        if (!message.TryBeginSending())
        {
            return Next.Over; // the message was cancelled meanwhile
        }

        using HttpResponseMessage? response = await PostAsync(message, session, fields).ConfigureAwait(false);
        if (response is null)
        {
            await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.ClosedEarly).ConfigureAwait(false);
            return Next.Over;
        }

        message.NoteTaken();
        if (response.IsSuccessStatusCode)
        {
            _isEstablished = true;
            _reachability.Reached();
            await TakeAnswerAsync(message, session, response).ConfigureAwait(false);
            return Next.Over;
        }

        ErrorAnswer error = await ErrorAnswer.ReadAsync(response, _parts.Large, message.Closing).ConfigureAwait(false);
        message.EndSending();
        _reachability.Note(error);
        if (await patience.PauseAsync(error, message.Closing).ConfigureAwait(false))
        {
            return Next.Again;
        }

        if (ToolReading.IsWanted(message, error))
        {
            await new ToolReading(_parts, this).RunAsync(message).ConfigureAwait(false);
            return Next.Again;
        }

        if (session?.Id is not null && error.IsSessionLost)
        {
            return Next.SessionLost;
        }

        if (error.IsForOtherTransport && !_isEstablished && _parts.Settings.Transport is McpBridgeTransport.Auto)
        {
            return Next.Unsuitable;
        }

        await _parts.Delivery.FailAllAsync(message, error).ConfigureAwait(false);
        return Next.Over;
    }

    /// <returns>The response; null if the connection ended before one had begun.</returns>
    private async Task<HttpResponseMessage?> PostAsync(ClientMessage message, Session? session, HeaderFields fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, ProxyLink.Target);
        request.Content = new MessageContent(message.Bytes);
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        session?.AddTo(request);
        RequestFields.Add(request, fields);
        try
        {
            return await _parts.SendAsync(request, message.Closing).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task TakeAnswerAsync(ClientMessage message, Session? session, HttpResponseMessage response)
    {
        message.Release();
        if (!message.IsInitialize && _parts.Delivery.Memory.IsInitialized)
        {
            OpenStream(); // opened with the first response after the client's initialized notification
        }

        if (message.Requests.Count == 0)
        {
            message.Accept();
            return;
        }

        message.GivenSession = message.IsInitialize ? Session.IdOf(response) : null;
        try
        {
            if (AnswerBody.IsEventStream(response))
            {
                var stream = new AnswerStream(_parts, message, session ?? new Session(message.GivenSession, null));
                await stream.RunAsync(response).ConfigureAwait(false);
                return;
            }

            await TakeJsonAsync(message, response).ConfigureAwait(false);
        }
        finally
        {
            // GivenSession is still set after an initialize without a result. Its session is ended here, since nothing else keeps the id.
            await EndAsync(new Session(message.GivenSession, null)).ConfigureAwait(false);
        }
    }

    private async Task TakeJsonAsync(ClientMessage message, HttpResponseMessage response)
    {
        BridgeFaultReason? fault = null;
        try
        {
            using MessageBuffer? body =
                await AnswerBody.ReadAsync(response, BridgeLimits.MaxMessageBytes, new AnswerBound(_parts, message), message.Closing).ConfigureAwait(false);
            fault = body is null ? BridgeFaultReason.AnswerTooLarge
                : body.Length == 0 ? BridgeFaultReason.AnswerMissing
                : await _parts.Delivery.DeliverAsync(Utf8Check.BehindMark(body.Bytes), message).ConfigureAwait(false) ? null
                : BridgeFaultReason.AnswerInvalid;
        }
        catch (Exception cut) when (cut is IOException or InvalidOperationException)
        {
            fault = BridgeFaultReason.AnswerCut;
        }

        if (fault is { } reason)
        {
            await _parts.Delivery.FailAllAsync(message, reason).ConfigureAwait(false);
        }
    }
}
