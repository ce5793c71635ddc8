using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Joins a client that starts with a handshake to a server that has none (2026-07-28 alone).</summary>
/// <remarks>
/// The handshake and pings are answered here. Each request goes on with what the handshake has said in its <c>_meta</c>. A result that says
/// <c>input_required</c> becomes requests to the client, and the request is sent again with its answers (<see cref="InputRound"/>). Changes come by a stream
/// of our own (<see cref="Listening"/>).
/// </remarks>
internal sealed class LegacyClientJoin : EraJoin
{
    /// <summary>Most requests that are open at once.</summary>
    public const int MaxOpen = 10_000;

    /// <summary>Most times a server may ask for more before it has answered a request.</summary>
    public const int MaxRounds = 64;

    /// <summary>The wait before a request is sent again for which the server has asked nothing.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);

    /// <summary>The handshake's id; it is answered once the server has said what it can do.</summary>
    private readonly MessageId _initialize;

    /// <summary>What the client has said of itself.</summary>
    private readonly LegacyClient _client;

    /// <summary>Makes messages for the server.</summary>
    private readonly ModernMessages _messages;

    /// <summary>What is known of tools.</summary>
    private readonly ToolList _tools;

    /// <summary>Requests of the client that are not finished, by the id they have at the server.</summary>
    private readonly Dictionary<MessageId, OpenRequest> _open = [];

    /// <summary>The same, by the client's id.</summary>
    private readonly Dictionary<MessageId, OpenRequest> _byClient = [];

    /// <summary>Requests to the client that it has not answered: each with the request for which it was asked.</summary>
    private readonly Dictionary<MessageId, OpenRequest> _asked = [];

    /// <summary>Our own <c>server/discover</c>; null before <see cref="Start"/>.</summary>
    private MessageId? _discover;

    /// <summary>The result of the handshake, for a client that asks once more; empty before the server is known.</summary>
    private ReadOnlySequence<byte> _handshake;

    /// <summary>What the server can do; null before it is known.</summary>
    private ServerCapabilities? _server;

    /// <summary>Our own stream of changes; null before the server is known.</summary>
    private Listening? _listening;

    /// <param name="initialize">The client's first request.</param>
    /// <param name="head">Its head.</param>
    /// <param name="tools">What is known of tools; learns more.</param>
    public LegacyClientJoin(in ReadOnlySequence<byte> initialize, MessageHead head, ToolList tools)
    {
        Debug.Assert(head is { Kind: MessageKind.Request, Method: Methods.Initialize }, "The client starts with a handshake.");
        _initialize = head.Id!.Value;
        _client = LegacyClient.Read(initialize, head);
        _tools = tools;
        _messages = new ModernMessages(_client, tools);
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
    public override IReadOnlyList<EraAction> FromClient(in ReadOnlySequence<byte> message, MessageHead head)
    {
        var actions = new List<EraAction>();
        switch (head.Kind)
        {
            case MessageKind.Request:
                TakeRequest(message, head, actions);
                break;
            case MessageKind.Notification:
                TakeNotification(message, head, actions);
                break;
            case MessageKind.Response or MessageKind.ErrorResponse when head.Id is { } id && _asked.Remove(id, out OpenRequest? open):
                TakeAnswer(open, id, message, head, actions);
                break;
            default:
                break; // an answer to what was never asked, or is no longer of interest
        }

        return actions;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EraAction> FromServer(MessageId? request, in ReadOnlySequence<byte> message, MessageHead head)
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
            Answered(request, message, head, actions);
        }
        else if (head.Kind is MessageKind.Notification && head.Method is not (Methods.Acknowledged or Methods.Cancelled))
        {
            actions.Add(new ToClient(message));
        }

        return actions;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EraAction> StreamEnded(MessageId request)
    {
        var actions = new List<EraAction>();
        if (_listening is { } listening && listening.Owns(request))
        {
            listening.StreamEnded(request, actions);
        }
        else if (_open.TryGetValue(request, out OpenRequest? open))
        {
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, "The server ended its stream without an answer.", "upstream-aborted-body"), actions);
        }
        else if (request == _discover)
        {
            State = JoinState.Refused;
        }

        return actions;
    }

    private void TakeRequest(in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
    {
        MessageId id = head.Id!.Value;
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
                actions.Add(Refuse(
                    id, OwnMessages.MethodNotFound, $"The server speaks {Revisions.Modern}, which has no tasks like those of {Revisions.LastLegacy}. They cannot be translated."));
                break;
            default:
                Forward(id, message, head, actions);
                break;
        }
    }

    private void Forward(MessageId id, in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
    {
        if (_byClient.ContainsKey(id))
        {
            actions.Add(Refuse(id, OwnMessages.InvalidRequest, "A request with this id has not been answered yet. Give each request an id of its own."));
        }
        else if (_byClient.Count >= MaxOpen)
        {
            actions.Add(Refuse(id, OwnMessages.InternalError, $"There are {MaxOpen} open requests already."));
        }
        else if (_messages.Translate(message, head, out string? fault) is { } sent)
        {
            var open = new OpenRequest(id, sent);
            _open.Add(id, open);
            _byClient.Add(id, open);
            actions.Add(sent);
        }
        else
        {
            actions.Add(Refuse(id, OwnMessages.InvalidParams, fault!));
        }
    }

    private void TakeNotification(in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
    {
        switch (head.Method)
        {
            case Methods.Initialized:
                _listening?.Start(actions);
                break;
            case Methods.Cancelled when head.CancelledId is { } id && _byClient.TryGetValue(id, out OpenRequest? open):
                actions.Add(new CloseServer(open.Upstream));
                Withdraw(open, "The request was cancelled.", actions);
                Forget(open);
                break;

            // What a server of today has no word for: it asks again where it wants to know.
            case Methods.Cancelled or Methods.RootsChanged or Methods.Progress:
                break;
            default:
                if (State is JoinState.Joined && _messages.Translate(message, head, out _) is { } sent)
                {
                    actions.Add(sent);
                }

                break;
        }
    }

    /// <summary>The client has answered what it was asked for a request.</summary>
    private void TakeAnswer(OpenRequest open, MessageId id, in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
    {
        InputRound round = open.Round!;
        if (head.Kind is MessageKind.Response && JsonSlice.Find(message, "result"u8) is { } result)
        {
            if (round.Take(id, result.Value.ToArray()))
            {
                SendAgain(open, round, TimeSpan.Zero, actions);
            }

            return;
        }

        round.Asked.Remove(id);
        Withdraw(open, "Another question for the same request was answered with an error.", actions);
        string fault = "The server needs an answer of the client to go on with the request, and the client has answered with an error. "
            + $"Revision {Revisions.Modern} has no way to tell the server of it.";
        Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault), actions);
    }

    /// <summary>The server has answered <c>server/discover</c>, or something has answered in its place.</summary>
    private void Discovered(in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
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
        _listening = new Listening(_messages, _server);
        _handshake = Handshake.FromDiscovery(result.Value, _client.Revision, _initialize);
        actions.Add(new ToClient(_handshake));
    }

    private void Answered(MessageId? request, in ReadOnlySequence<byte> message, MessageHead head, List<EraAction> actions)
    {
        if (request is not { } id || !_open.TryGetValue(id, out OpenRequest? open))
        {
            return; // cancelled, or never asked
        }

        if (head.Kind is MessageKind.Response && open.Sent.Head.Method is Methods.ListTools)
        {
            _tools.Learn(message);
        }

        switch (head.ResultType)
        {
            case "input_required":
                AskForMore(open, message, actions);
                break;
            case null or "complete":
                Finish(open, head.Id == open.Client ? message : OwnMessages.WithId(message, open.Client), actions);
                break;
            default:
                string fault = $"The server answered with a kind of result that revision {_client.Revision} does not have. It cannot be translated.";
                Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault), actions);
                break;
        }
    }

    /// <summary>The server wants more before it answers.</summary>
    private void AskForMore(OpenRequest open, in ReadOnlySequence<byte> message, List<EraAction> actions)
    {
        string? fault = ++open.Rounds > MaxRounds ? $"The server has asked for more input {MaxRounds} times without an answer." : null;
        IReadOnlyList<ToClient> requests = [];
        InputRound? round = fault is null ? InputRound.Read(message, _client, _messages, out requests, out fault) : null;
        if (round is null)
        {
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault!), actions);
            return;
        }

        // What the server still sends of the request it has answered is nobody's; the request goes on under another id.
        _open.Remove(open.Upstream);
        open.Round = round;
        if (round.Asked.Count == 0)
        {
            SendAgain(open, round, Backoff.After(FirstWait, open.Rounds), actions);
            return;
        }

        foreach (MessageId id in round.Asked.Keys)
        {
            _asked.Add(id, open);
        }

        actions.AddRange(requests);
    }

    private void SendAgain(OpenRequest open, InputRound round, TimeSpan after, List<EraAction> actions)
    {
        Debug.Assert(round.Asked.Count == 0, "All that was asked has been answered.");
        ToServer again = _messages.Again(open.Sent, round.Answers, round.State) with { After = after };
        open.Round = null;
        open.Upstream = again.Id!.Value;
        _open.Add(open.Upstream, open);
        actions.Add(again);
    }

    /// <summary>Takes back what the client has been asked for a request, and has not answered.</summary>
    private void Withdraw(OpenRequest open, string reason, List<EraAction> actions)
    {
        foreach (MessageId id in open.Round?.Asked.Keys ?? [])
        {
            _asked.Remove(id);
            actions.Add(new ToClient(OwnMessages.Cancelled(id, reason)));
        }
    }

    private void Finish(OpenRequest open, in ReadOnlySequence<byte> answer, List<EraAction> actions)
    {
        Forget(open);
        actions.Add(new ToClient(answer));
    }

    private void Forget(OpenRequest open)
    {
        _open.Remove(open.Upstream);
        _byClient.Remove(open.Client);
    }

    private void SetLevel(MessageId id, in ReadOnlySequence<byte> message, List<EraAction> actions)
    {
        string? level = JsonSlice.Find(message, "params"u8) is { } parameters ? JsonSlice.Find(parameters.Value, "level"u8)?.Text : null;
        if (!_server!.Logs)
        {
            actions.Add(Refuse(id, OwnMessages.MethodNotFound, "The server sends no log messages."));
        }
        else if (!LogLevels.IsKnown(level))
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
