using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>The open requests of a client with a handshake (up to 2025-11-25) at a server of 2026-07-28, from their first POST to their answer.</summary>
/// <remarks>
/// If the server answers a request with <c>input_required</c>, the request stays open: the client is asked, and the request is sent again under another id.
/// </remarks>
internal sealed class LegacyRequests
{
    /// <summary>The maximum number of requests that are open at a time. Further ones are refused.</summary>
    public const int MaxOpen = 10_000;

    /// <summary>
    /// The maximum number of bytes that are kept of all open requests together. Requests beyond it are refused. The bytes are needed if a request is sent again
    /// with the client's answers.
    /// </summary>
    public const long MaxKeptBytes = 256 * 1024 * 1024;

    /// <summary>
    /// An answer of more than this many bytes is taken to ask for no input (<c>input_required</c>). While it comes in, its request is dropped if it has more
    /// than <see cref="SmallBytes"/>, so that a large request and a large answer are not held at the same time.
    /// </summary>
    public const int MaxQuestionBytes = 4 * 1024 * 1024;

    /// <summary>A request of at most this many bytes is kept however large its answer is.</summary>
    public const int SmallBytes = 1024 * 1024;

    /// <summary>The maximum number of times that a server may ask for input before it answers a request. After that the client gets an error.</summary>
    public const int MaxRounds = 64;

    private const string ClientHasEnded = "The server wants more input before it answers the request, but the client's input has ended.";

    private const string AskedTooMuch = "The server wants more input before it answers the request, but its message that asks for it is larger than "
        + "4 MiB. A request above 1 MiB is not kept during such a message, so the bridge cannot send it again.";

    private const string TooManyBytes =
        "The requests that the server has not answered yet take too much memory together. Wait for answers before you send more.";

    /// <summary>The wait before a request is sent again if the server wants that without asking the client anything; longer after each further round.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);

    /// <summary>What the client has said about itself in its <c>initialize</c>.</summary>
    private readonly LegacyClient _client;

    /// <summary>Makes messages for the server.</summary>
    private readonly ModernMessages _messages;

    /// <summary>The requests that the server has not answered yet, by their ids at the server.</summary>
    private readonly Dictionary<MessageId, JoinedRequest> _atServer = [];

    /// <summary>All requests that have no final answer yet, by their ids at the client.</summary>
    private readonly Dictionary<MessageId, JoinedRequest> _open = [];

    /// <summary>The requests to the client that it has not answered yet: from their ids to the client's request that they were made for.</summary>
    private readonly Dictionary<MessageId, JoinedRequest> _asked = [];

    /// <summary>The maximum of <see cref="_keptBytes"/>. What would exceed it is refused with an error.</summary>
    private readonly long _maxKeptBytes;

    /// <summary>How many bytes are kept: the sum of <see cref="JoinedRequest.KeptBytes"/> over <see cref="_open"/>.</summary>
    private long _keptBytes;

    /// <summary>Whether the client's input has ended. Then the client cannot be asked, and nothing is sent again.</summary>
    private bool _hasEnded;

    public LegacyRequests(LegacyClient client, ModernMessages messages, long maxKeptBytes = MaxKeptBytes)
    {
        _client = client;
        _messages = messages;
        _maxKeptBytes = maxKeptBytes;
    }

    /// <summary>Whether an open request has this id, at the client or at the server.</summary>
    public bool IsOpen(MessageId id) => _open.ContainsKey(id) || _atServer.ContainsKey(id);

    /// <summary>Translates a request of the client and sends it to the server.</summary>
    /// <param name="id">The request's id.</param>
    /// <param name="message">The request.</param>
    /// <param name="head">The head of the request.</param>
    /// <param name="origin">The owner of the request's bytes; null if they need not be disposed of.</param>
    /// <param name="actions">The list that the actions are added to.</param>
    public void Forward(MessageId id, in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin, List<EraAction> actions)
    {
        Debug.Assert(!_open.ContainsKey(id), "The caller has refused an id that is in use.");
        if (_open.Count >= MaxOpen)
        {
            Refuse(id, OwnMessages.InternalError,
                $"{MaxOpen} requests have no answer yet, which is the maximum. Wait for answers before you send more.", actions);
        }
        else if (!HasRoom(message.Length))
        {
            Refuse(id, OwnMessages.InternalError, TooManyBytes, actions);
        }
        else if (_messages.Translate(message, head, out string? fault) is { } sent)
        {
            var open = new JoinedRequest(id, sent);
            open.Hold(origin);
            Keep(open, sent.Message.Length);
            _open.Add(id, open);
            _atServer.Add(id, open);
            actions.Add(sent with { Hold = origin?.Use() });
        }
        else
        {
            Refuse(id, OwnMessages.InvalidParams, fault!, actions);
        }
    }

    /// <summary>Called when the answer to a request turns out to be large. Such an answer asks for no input, so a large request is no longer kept.</summary>
    /// <param name="request">The request's id at the server.</param>
    public void AnswerIsLarge(MessageId request)
    {
        if (_atServer.TryGetValue(request, out JoinedRequest? open) && open.KeptBytes > SmallBytes)
        {
            Debug.Assert(open.Round is null, "The client is asked nothing for a request that the server has.");
            open.LetGo();
            Keep(open, -open.KeptBytes);
        }
    }

    /// <summary>Called when the client's input has ended. Requests that wait for an answer from the client end with an error.</summary>
    public void ClientEnded(List<EraAction> actions)
    {
        _hasEnded = true;
        foreach (JoinedRequest open in _open.Values.Where(open => open.Round is not null).ToArray())
        {
            Withdraw(open, ClientHasEnded, actions);
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, ClientHasEnded), actions);
        }
    }

    /// <summary>Handles the client's cancellation of a request.</summary>
    public void Cancel(MessageId id, List<EraAction> actions)
    {
        if (!_open.TryGetValue(id, out JoinedRequest? open))
        {
            return;
        }

        if (open.Round is null)
        {
            actions.Add(new CloseServer(open.Upstream));
        }

        Withdraw(open, "The request was cancelled.", actions);
        Forget(open);
    }

    /// <summary>Handles an answer of the client to a question. An answer that belongs to no open question is ignored.</summary>
    /// <param name="message">The answer.</param>
    /// <param name="head">The head of the answer.</param>
    /// <param name="origin">The owner of the answer's bytes; null if they need not be disposed of.</param>
    /// <param name="actions">The list that the actions are added to.</param>
    public void TakeAnswer(in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin, List<EraAction> actions)
    {
        if (head.Id is not { } id || !_asked.Remove(id, out JoinedRequest? open))
        {
            return;
        }

        InputRound round = open.Round!;
        if (head.Kind is not MessageKind.Response || JsonSlice.Find(message, "result"u8) is not { } result)
        {
            round.Asked.Remove(id);
            Withdraw(open, "The client answered another question about the same request with an error.", actions);
            string fault = "The server needs an answer from the client to go on with the request, but the client has answered with an error. "
                + $"Revision {Revisions.Modern} has no way to tell the server of it.";
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault), actions);
        }
        else if (!HasRoom(result.Value.Length))
        {
            round.Asked.Remove(id);
            Withdraw(open, TooManyBytes, actions);
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, TooManyBytes), actions);
        }
        else
        {
            Keep(open, result.Value.Length);
            open.Hold(origin);
            if (round.Take(id, result.Value))
            {
                SendAgain(open, round, TimeSpan.Zero, actions);
            }
        }
    }

    /// <summary>Handles an answer of the server.</summary>
    public void Answered(MessageId? request, in ReadOnlySequence<byte> message, RpcHead head, List<EraAction> actions)
    {
        if (request is not { } id || !_atServer.TryGetValue(id, out JoinedRequest? open))
        {
            // No open request has this id: it was cancelled, or the bridge refused it before it came here. An error is sent on if the client knows the id.
            if (head.Kind is MessageKind.ErrorResponse && (request is null || !_messages.IsOwn(request.Value)))
            {
                actions.Add(new ToClient(message));
            }

            return;
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
                string fault =
                    $"The server answered with a kind of result that MCP {_client.Revision}, the client's revision, does not have, so it cannot be translated.";
                Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault), actions);
                break;
        }
    }

    /// <summary>Handles an answer that asks for input (<c>input_required</c>).</summary>
    private void AskForMore(JoinedRequest open, in ReadOnlySequence<byte> message, List<EraAction> actions)
    {
        string? fault = ++open.Rounds > MaxRounds ? $"The server has asked for more input {MaxRounds} times without an answer."
            : _hasEnded ? ClientHasEnded
            : open.Sent is null ? AskedTooMuch
            : null;
        IReadOnlyList<ToClient> requests = [];
        InputRound? round = fault is null ? InputRound.Read(message, _client, _messages, out requests, out fault) : null;
        long state = round?.State?.LongLength ?? 0;
        if (round is null || !HasRoom(state))
        {
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault ?? TooManyBytes), actions);
            return;
        }

        Keep(open, state);

        // The request is sent again under another id. What the server still sends under the old id is dropped.
        _atServer.Remove(open.Upstream);
        if (round.Asked.Count == 0)
        {
            SendAgain(open, round, Backoff.After(FirstWait, open.Rounds), actions);
            return;
        }

        open.Round = round;
        foreach (MessageId id in round.Asked.Keys)
        {
            _asked.Add(id, open);
        }

        actions.AddRange(requests);
    }

    private void SendAgain(JoinedRequest open, InputRound round, TimeSpan after, List<EraAction> actions)
    {
        Debug.Assert(round.Asked.Count == 0, "All questions have been answered.");
        Debug.Assert(open.Sent is not null, "Only a request that is kept is sent again.");
        ToServer again = _messages.Again(open.Sent, round.Answers, round.State) with { After = after, Hold = open.Share().Use() };
        open.Round = null;
        Keep(open, again.Message.Length - open.KeptBytes); // only the new message is kept now; it contains the answers and the state
        open.Sent = again;
        open.Upstream = again.Id!.Value;
        _atServer.Add(open.Upstream, open);
        actions.Add(again);
    }

    /// <summary>Cancels the questions to the client that were asked for a request and that the client has not answered.</summary>
    private void Withdraw(JoinedRequest open, string reason, List<EraAction> actions)
    {
        foreach (MessageId id in open.Round?.Asked.Keys ?? Enumerable.Empty<MessageId>())
        {
            _asked.Remove(id);
            actions.Add(new ToClient(OwnMessages.Cancelled(id, reason)));
        }
    }

    private void Finish(JoinedRequest open, in ReadOnlySequence<byte> answer, List<EraAction> actions)
    {
        Forget(open);
        actions.Add(new ToClient(answer));
    }

    private void Forget(JoinedRequest open)
    {
        _atServer.Remove(open.Upstream);
        _open.Remove(open.Client);
        open.LetGo();
        Keep(open, -open.KeptBytes);
        Debug.Assert(_open.Count > 0 || _keptBytes == 0, "Without open requests nothing is kept.");
    }

    private bool HasRoom(long bytes) => bytes == 0 || _keptBytes + bytes <= _maxKeptBytes;

    /// <summary>Adds to the counts of kept bytes; subtracts if <paramref name="bytes"/> is negative.</summary>
    private void Keep(JoinedRequest open, long bytes)
    {
        open.KeptBytes += bytes;
        _keptBytes += bytes;
        Debug.Assert(open.KeptBytes >= 0 && _keptBytes >= open.KeptBytes, "No more is given back than was kept.");
    }

    private static void Refuse(MessageId id, int code, string sentence, List<EraAction> actions) =>
        actions.Add(new ToClient(OwnMessages.Error(id, code, sentence)));
}
