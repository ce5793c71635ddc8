using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// Listens for changes with <c>subscriptions/listen</c> (2026-07-28) on behalf of a client of an earlier revision. Such a client does not send that request,
/// but expects notifications about changed lists and about the resources that it has subscribed to.
/// </summary>
/// <remarks>
/// One stream carries all notifications. The request that opens a stream names the notifications that it shall carry. So for each change of the client's
/// subscriptions a new stream is opened. The old one is closed only when the server has acknowledged the new one, so that nothing is missed. A lost stream is
/// opened again, and the client then gets notifications that everything may have changed.
/// </remarks>
internal sealed class ListenSubscription
{
    /// <summary>The wait before a lost stream is opened again; longer after each further failure, up to a bound.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    /// <summary>Makes the requests.</summary>
    private readonly ModernMessages _messages;

    /// <summary>The server's capabilities, which say what it sends notifications about.</summary>
    private readonly ServerCapabilities _server;

    /// <summary>
    /// The resources that the client has subscribed to, and its <c>resources/subscribe</c> requests that are not answered yet. There are such requests only
    /// while <see cref="_next"/> is not null.
    /// </summary>
    private readonly SubscribedResources _resources = new();

    /// <summary>The id of the request whose stream the server has acknowledged; null while there is none.</summary>
    private MessageId? _current;

    /// <summary>The id of the request whose stream the server has not acknowledged yet; null while there is none.</summary>
    private MessageId? _next;

    /// <summary>Whether the client's subscriptions have changed since <see cref="_next"/> was requested.</summary>
    private bool _isOutdated;

    /// <summary>Whether an acknowledged stream was lost and no other one has been acknowledged since, so that changes may have been missed.</summary>
    private bool _hasMissed;

    /// <summary>
    /// Whether the server has said that it does not know <c>subscriptions/listen</c>. Then a stream is requested only if the client has subscribed to a
    /// resource.
    /// </summary>
    private bool _isRefused;

    /// <summary>The number of failed or lost streams since the server last acknowledged one.</summary>
    private int _failures;

    public ListenSubscription(ModernMessages messages, ServerCapabilities server)
    {
        _messages = messages;
        _server = server;
    }

    /// <summary>Starts to listen for changed lists, if the server has such notifications.</summary>
    public void Start(List<EraAction> actions) => Refresh(actions, TimeSpan.Zero);

    /// <summary>Whether an id is that of a request for one of these streams.</summary>
    public bool Owns(MessageId request) => request == _current || request == _next;

    /// <summary>Whether an id is that of one of these streams, or of a client's <c>resources/subscribe</c> that is not answered yet.</summary>
    public bool Uses(MessageId request) => Owns(request) || _resources.IsWaiting(request);

    /// <summary>Handles a client's <c>resources/subscribe</c>. It is answered when the server has acknowledged a stream that carries the resource.</summary>
    public void Subscribe(MessageId request, string resource, List<EraAction> actions)
    {
        if (!_server.Subscribes)
        {
            actions.Add(new ToClient(OwnMessages.Error(request, OwnMessages.MethodNotFound, "The server has no notifications about changed resources.")));
        }
        else if (_resources.TryAdd(resource, out bool isNew) is { } fault)
        {
            actions.Add(new ToClient(OwnMessages.Error(request, OwnMessages.InternalError, fault)));
        }
        else if (!isNew && _current is not null && _next is null)
        {
            actions.Add(new ToClient(OwnMessages.Empty(request)));
        }
        else
        {
            _resources.Wait(request, resource, isNew);
            Refresh(actions, TimeSpan.Zero);
        }
    }

    /// <summary>Cancels a <c>resources/subscribe</c> that is not answered yet.</summary>
    /// <returns>Whether such a request had this id.</returns>
    public bool Cancel(MessageId request, List<EraAction> actions)
    {
        bool hasWaited = _resources.TryCancel(request, out bool isChanged);
        if (isChanged)
        {
            Refresh(actions, TimeSpan.Zero);
        }

        return hasWaited;
    }

    /// <summary>Handles a client's <c>resources/unsubscribe</c>.</summary>
    public void Unsubscribe(MessageId request, string resource, List<EraAction> actions)
    {
        actions.Add(new ToClient(OwnMessages.Empty(request)));
        if (_resources.Remove(resource))
        {
            Refresh(actions, TimeSpan.Zero);
        }
    }

    /// <summary>Handles a message that came on one of these streams.</summary>
    public void FromServer(MessageId request, in ReadOnlySequence<byte> message, RpcHead head, List<EraAction> actions)
    {
        Debug.Assert(Owns(request), "Only its own streams come here.");
        if (head.IsAnswer)
        {
            End(request, head.Kind is MessageKind.ErrorResponse ? (head.ErrorCode, message) : null, actions);
        }
        else if (head.Method is Methods.Acknowledged)
        {
            Acknowledge(request, message, actions);
        }
        else if (head.Kind is MessageKind.Notification && head.Method is not Methods.Cancelled && request == _current)
        {
            actions.Add(new ToClient(message));
        }
    }

    /// <summary>Closes the streams for good. The <c>resources/subscribe</c> requests that are not answered yet get an error.</summary>
    public void Stop(List<EraAction> actions)
    {
        _resources.Stop(actions);
        foreach (MessageId? stream in (ReadOnlySpan<MessageId?>)[_current, _next])
        {
            if (stream is { } open)
            {
                actions.Add(new CloseServer(open));
            }
        }

        (_current, _next) = (null, null);
    }

    private void Acknowledge(MessageId request, in ReadOnlySequence<byte> message, List<EraAction> actions)
    {
        if (request != _next)
        {
            return;
        }

        if (_current is { } old)
        {
            actions.Add(new CloseServer(old));
        }

        (_current, _next, _failures) = (_next, null, 0);
        _resources.Acknowledge(Honoured(message), actions);
        if (_hasMissed)
        {
            _hasMissed = false;
            TellAll(actions);
        }

        if (_isOutdated)
        {
            Refresh(actions, TimeSpan.Zero);
        }
    }

    /// <summary>Handles the end of a stream, whether the server has acknowledged it or not.</summary>
    private void End(MessageId request, (int Code, ReadOnlySequence<byte> Message)? error, List<EraAction> actions)
    {
        if (request == _next)
        {
            _next = null;
            _resources.Fail(error?.Message, actions);
        }
        else
        {
            _current = null;
            _hasMissed = true;
        }

        _isRefused |= error?.Code is OwnMessages.MethodNotFound;
        _failures++;
        if (_next is null && (_current is null || _isOutdated))
        {
            Refresh(actions, Backoff.After(FirstWait, _failures));
        }
    }

    /// <summary>
    /// Requests a stream that carries what the client wants now, or closes the stream if it wants nothing. While another request is pending, this is put off
    /// until that one is acknowledged or has failed.
    /// </summary>
    private void Refresh(List<EraAction> actions, TimeSpan after)
    {
        if (_next is not null)
        {
            _isOutdated = true;
            return;
        }

        _isOutdated = false;
        _resources.BeginStream(actions);
        if ((_isRefused || !_server.TellsLists) && _resources.All.Count == 0)
        {
            Debug.Assert(!_resources.IsAwaited, "A request that waits has subscribed to a resource.");
            if (_current is { } old)
            {
                actions.Add(new CloseServer(old));
                _current = null;
            }

            return;
        }

        ToServer listen = _messages.Own(Methods.Listen, [new JsonSlice("notifications", Filter(), JsonTokenType.StartObject)]);
        _next = listen.Id;
        actions.Add(listen with { After = after });
    }

    private ReadOnlySequence<byte> Filter() => OwnMessages.Build(256, json =>
    {
        json.WriteStartObject();
        if (_server.TellsTools)
        {
            json.WriteBoolean("toolsListChanged"u8, true);
        }

        if (_server.TellsPrompts)
        {
            json.WriteBoolean("promptsListChanged"u8, true);
        }

        if (_server.TellsResources)
        {
            json.WriteBoolean("resourcesListChanged"u8, true);
        }

        if (_resources.All.Count > 0)
        {
            json.WriteStartArray("resourceSubscriptions"u8);
            foreach (string resource in _resources.All)
            {
                json.WriteStringValue(resource);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    });

    /// <summary>Notifies the client that every list and resource that it listens for may have changed.</summary>
    private void TellAll(List<EraAction> actions)
    {
        foreach ((bool isTold, string method) in new[]
        {
            (_server.TellsTools, Methods.ToolsChanged),
            (_server.TellsPrompts, Methods.PromptsChanged),
            (_server.TellsResources, Methods.ResourcesChanged),
        })
        {
            if (isTold)
            {
                actions.Add(new ToClient(OwnMessages.Notification(method)));
            }
        }

        foreach (string resource in _resources.All)
        {
            actions.Add(new ToClient(OwnMessages.Updated(resource)));
        }
    }

    /// <summary>Reads from an acknowledgment for which resources the server sends notifications.</summary>
    private static HashSet<string> Honoured(in ReadOnlySequence<byte> acknowledgment)
    {
        HashSet<string> honoured = new(StringComparer.Ordinal);
        if (JsonSlice.Find(acknowledgment, "params"u8) is not { } parameters
            || JsonSlice.Find(parameters.Value, "notifications"u8) is not { } notifications
            || JsonSlice.Find(notifications.Value, "resourceSubscriptions"u8) is not { Kind: JsonTokenType.StartArray } resources)
        {
            return honoured;
        }

        var json = new Utf8JsonReader(resources.Value, MessageScanner.Options);
        json.Read();
        while (json.Read() && json.TokenType is not JsonTokenType.EndArray && honoured.Count < SubscribedResources.MaxResources)
        {
            if (JsonSlice.ReadText(ref json) is { } resource)
            {
                honoured.Add(resource);
            }

            json.Skip();
        }

        return honoured;
    }
}
