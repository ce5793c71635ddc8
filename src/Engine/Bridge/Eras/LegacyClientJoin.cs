using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Translates for a client that starts with a handshake (up to 2025-11-25) and a server that has none (only 2026-07-28).</summary>
/// <remarks>
/// The handshake and pings are answered here. Each request is sent on with the client's data from the handshake in its <c>_meta</c>. A result with the type
/// <c>input_required</c> becomes requests to the client, and the client's request is then sent again with the answers (<see cref="InputRound"/>).
/// Notifications about changes come on a stream that this class opens (<see cref="ListenSubscription"/>).
/// </remarks>
internal sealed class LegacyClientJoin : EraJoin
{
    /// <summary>The id of the client's <c>initialize</c>. It is answered when the server has answered <c>server/discover</c>.</summary>
    private readonly MessageId _initialize;

    /// <summary>What the client has said about itself in its <c>initialize</c>.</summary>
    private readonly LegacyClient _client;

    /// <summary>Makes messages for the server.</summary>
    private readonly ModernMessages _messages;

    /// <summary>The client's requests that have no final answer yet.</summary>
    private readonly LegacyRequests _requests;

    /// <summary>The id of the <c>server/discover</c> that this class sends; null before <see cref="Start"/>.</summary>
    private MessageId? _discover;

    /// <summary>
    /// The answer to <c>initialize</c>, kept for a client that sends another one; empty before the server has answered <c>server/discover</c>.
    /// </summary>
    private ReadOnlySequence<byte> _handshake;

    /// <summary>The server's capabilities; null before it has answered <c>server/discover</c>.</summary>
    private ServerCapabilities? _server;

    /// <summary>Listens for changes at the server; null before the server has answered <c>server/discover</c>.</summary>
    private ListenSubscription? _listening;

    /// <param name="initialize">The client's <c>initialize</c>.</param>
    /// <param name="head">The head of the <c>initialize</c>.</param>
    /// <param name="maxKeptBytes">The maximum number of bytes that are kept of all open requests together.</param>
    public LegacyClientJoin(in ReadOnlySequence<byte> initialize, RpcHead head, long maxKeptBytes = LegacyRequests.MaxKeptBytes)
    {
        Debug.Assert(head is { Kind: MessageKind.Request, Method: Methods.Initialize }, "The client starts with a handshake.");
        _initialize = head.Id!.Value;
        _client = LegacyClient.Read(initialize, head);
        _messages = new ModernMessages(_client);
        _requests = new LegacyRequests(_client, _messages, maxKeptBytes);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EraAction> Start()
    {
        Debug.Assert(_discover is null, "It starts once.");
        ToServer discover = _messages.Own(Methods.Discover, []);
        _discover = discover.Id;
        return [discover];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EraAction> FromClient(in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin = null)
    {
        var actions = new List<EraAction>();
        switch (head.Kind)
        {
            case MessageKind.Request:
                TakeRequest(message, head, origin, actions);
                break;
            case MessageKind.Notification:
                TakeNotification(message, head, origin, actions);
                break;
            case MessageKind.Response or MessageKind.ErrorResponse:
                _requests.TakeAnswer(message, head, origin, actions);
                break;
            default:
                break;
        }

        return actions;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EraAction> FromServer(MessageId? request, in ReadOnlySequence<byte> message, RpcHead head)
    {
        var actions = new List<EraAction>();
        if (request is { } discover && discover == _discover)
        {
            Discovered(message, head, actions);
        }
        else if (request is { } stream && _listening is { } listening && listening.Owns(stream))
        {
            listening.FromServer(stream, message, head, actions);
        }
        else if (head.IsAnswer)
        {
            _requests.Answered(request, message, head, actions);
        }
        else if (head.Kind is MessageKind.Notification && request is null)
        {
            actions.Add(new ToClient(message));
        }

        return actions;
    }

    /// <inheritdoc/>
    public override void AnswerIsLarge(MessageId request) => _requests.AnswerIsLarge(request);

    /// <inheritdoc/>
    public override IReadOnlyList<EraAction> ClientEnded()
    {
        var actions = new List<EraAction>();
        _requests.ClientEnded(actions);
        _listening?.Stop(actions);
        return actions;
    }

    private void TakeRequest(in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin, List<EraAction> actions)
    {
        MessageId id = head.Id!.Value;
        if (_requests.IsOpen(id) || _listening?.Uses(id) is true)
        {
            actions.Add(Refuse(id, OwnMessages.InvalidRequest, "A request with this id has not been answered yet. Give each request an id of its own."));
            return;
        }

        switch (head.Method)
        {
            case Methods.Ping:
                actions.Add(new ToClient(OwnMessages.Empty(id)));
                break;
            case var _ when State is not JoinState.Joined:
                actions.Add(Refuse(id, OwnMessages.InvalidRequest, "The server has not answered the handshake yet. Wait for the answer to initialize."));
                break;
            case Methods.Initialize:
                actions.Add(new ToClient(OwnMessages.WithId(_handshake, id)));
                break;
            case Methods.SetLevel:
                SetLevel(id, message, actions);
                break;
            case Methods.Subscribe or Methods.Unsubscribe when head.Name is null:
                actions.Add(Refuse(id, OwnMessages.InvalidParams, $"The uri must be a string of at most {MessageScanner.MaxTextBytes} bytes."));
                break;
            case Methods.Subscribe:
                _listening!.Subscribe(id, head.Name!, actions);
                break;
            case Methods.Unsubscribe:
                _listening!.Unsubscribe(id, head.Name!, actions);
                break;
            case var method when method.StartsWith("tasks/", StringComparison.Ordinal):
                string noTasks = $"The server speaks {Revisions.Modern}, which has no tasks like those of {Revisions.LastLegacy}. They cannot be translated.";
                actions.Add(Refuse(id, OwnMessages.MethodNotFound, noTasks));
                break;
            default:
                _requests.Forward(id, message, head, origin, actions);
                break;
        }
    }

    private void TakeNotification(in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin, List<EraAction> actions)
    {
        switch (head.Method)
        {
            case Methods.Initialized:
                _listening?.Start(actions);
                break;
            case Methods.Cancelled when head.CancelledId is { } cancelled:
                if (_listening?.Cancel(cancelled, actions) is not true)
                {
                    _requests.Cancel(cancelled, actions);
                }

                break;

            // Dropped: over HTTP, revision 2026-07-28 has no such messages from clients. A server that needs the client's roots asks for them again.
            case Methods.RootsChanged or Methods.Progress or Methods.Initialize or Methods.Cancelled:
                break;
            default:
                if (State is JoinState.Joined && _messages.Translate(message, head, out _) is { } sent)
                {
                    actions.Add(sent with { Hold = origin?.Use() });
                }

                break;
        }
    }

    /// <summary>Handles the answer to <c>server/discover</c>, or the error that the bridge has made in its place.</summary>
    private void Discovered(in ReadOnlySequence<byte> message, RpcHead head, List<EraAction> actions)
    {
        if (State is not JoinState.Asking)
        {
            return;
        }

        if (head.Kind is not MessageKind.Response || JsonSlice.Find(message, "result"u8) is not { Kind: JsonTokenType.StartObject } result)
        {
            State = JoinState.Refused;
            return;
        }

        State = JoinState.Joined;
        _server = ServerCapabilities.Read(JsonSlice.Find(result.Value, "capabilities"u8)?.Value ?? default);
        _listening = new ListenSubscription(_messages, _server);
        _handshake = Handshake.FromDiscovery(result.Value, _client.Revision, _initialize);
        actions.Add(new ToClient(_handshake));
    }

    /// <summary>
    /// Sets the log level that each request carries from now on. The server's capabilities are not checked: some servers send log messages without declaring
    /// that capability, and servers without log messages ignore the level.
    /// </summary>
    private void SetLevel(MessageId id, in ReadOnlySequence<byte> message, List<EraAction> actions)
    {
        string? level = JsonSlice.Find(message, "params"u8) is { } parameters ? JsonSlice.Find(parameters.Value, "level"u8)?.Text : null;
        if (!LogLevels.IsKnown(level))
        {
            actions.Add(Refuse(id, OwnMessages.InvalidParams, $"The level must be one of {LogLevels.All}."));
        }
        else
        {
            _messages.LogLevel = level;
            actions.Add(new ToClient(OwnMessages.Empty(id)));
        }
    }

    private static ToClient Refuse(MessageId id, int code, string sentence) => new(OwnMessages.Error(id, code, sentence));
}
