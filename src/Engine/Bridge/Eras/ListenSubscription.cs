using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// The <c>subscriptions/listen</c> that stands in for what an older client takes for granted: that it is told of changed lists, and of the resources it has
/// subscribed to.
/// </summary>
/// <remarks>
/// One stream carries all. A server is told what it should carry when it is opened, so for each change another one is opened, and the one before is closed
/// when the server has acknowledged the new one: between them nothing is missed. One that is lost is opened again, and the client is then told that everything
/// may have changed.
/// </remarks>
internal sealed class ListenSubscription
{
    /// <summary>The wait before a lost stream is opened again.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    /// <summary>Makes the requests.</summary>
    private readonly ModernMessages _messages;

    /// <summary>What the server can tell.</summary>
    private readonly ServerCapabilities _server;

    /// <summary>What the client wants to be told of, and who waits for that. Requests wait only while <see cref="_next"/> is there.</summary>
    private readonly SubscribedResources _resources = new();

    /// <summary>The stream that the server has acknowledged; null while there is none.</summary>
    private MessageId? _current;

    /// <summary>The stream that was asked for and has not been acknowledged; null while there is none.</summary>
    private MessageId? _next;

    /// <summary>Whether what is wanted has changed since <see cref="_next"/> was asked for.</summary>
    private bool _isOutdated;

    /// <summary>Whether a stream was lost, so that changes may have been missed.</summary>
    private bool _hasMissed;

    /// <summary>Whether the server has said that it has no such streams; then lists are not listened for.</summary>
    private bool _isRefused;

    /// <summary>Failures in a row.</summary>
    private int _failures;

    public ListenSubscription(ModernMessages messages, ServerCapabilities server)
    {
        _messages = messages;
        _server = server;
    }

    /// <summary>Starts to listen for changed lists, if the server tells of them.</summary>
    public void Start(List<EraAction> actions) => Refresh(actions, TimeSpan.Zero);

    /// <summary>Whether a request is one of these streams.</summary>
    public bool Owns(MessageId request) => request == _current || request == _next;

    /// <summary>Whether a stream, or a client's <c>resources/subscribe</c> that is not answered yet, has this id.</summary>
    public bool Uses(MessageId request) => Owns(request) || _resources.IsWaiting(request);

    /// <summary>Takes a client's <c>resources/subscribe</c>; it is answered when the server has acknowledged it.</summary>
    public void Subscribe(MessageId request, string resource, List<EraAction> actions)
    {
        if (!_server.Subscribes)
        {
            actions.Add(new ToClient(OwnMessages.Error(request, OwnMessages.MethodNotFound, "The server does not tell of changed resources.")));
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

    /// <summary>Takes a cancellation, which may be that of a <c>resources/subscribe</c> that waits.</summary>
    /// <returns>Whether it was.</returns>
    public bool Cancel(MessageId request, List<EraAction> actions)
    {
        bool hasWaited = _resources.TryCancel(request, out bool isChanged);
        if (isChanged)
        {
            Refresh(actions, TimeSpan.Zero);
        }

        return hasWaited;
    }

    /// <summary>Takes a client's <c>resources/unsubscribe</c>.</summary>
    public void Unsubscribe(MessageId request, string resource, List<EraAction> actions)
    {
        actions.Add(new ToClient(OwnMessages.Empty(request)));
        if (_resources.Remove(resource))
        {
            Refresh(actions, TimeSpan.Zero);
        }
    }

    /// <summary>Takes what came on one of these streams.</summary>
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

    /// <summary>Closes its streams for good, and ends the subscriptions that wait for one.</summary>
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

    /// <summary>A stream has ended: the one that carried everything, or one that was asked for.</summary>
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

    /// <summary>Asks for a stream that carries what is wanted now, or notes that it has to be done.</summary>
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
            Debug.Assert(!_resources.IsAwaited, "A request that waits wants a resource.");
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

    /// <summary>Tells the client that everything that it listens for may have changed.</summary>
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

    /// <summary>The resources that the server has agreed to tell of.</summary>
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
