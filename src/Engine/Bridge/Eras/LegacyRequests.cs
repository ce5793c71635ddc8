using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>The requests of a client of an older era at a server of 2026-07-28, from their first POST to their answer.</summary>
/// <remarks>A request that the server answers with <c>input_required</c> lives on: the client is asked, and it is sent again under another id.</remarks>
internal sealed class LegacyRequests
{
    /// <summary>Most requests that are open at once.</summary>
    public const int MaxOpen = 10_000;

    /// <summary>Most bytes that are kept of open requests, to be sent again with the client's answers to what the server asks.</summary>
    public const long MaxKeptBytes = 256 * 1024 * 1024;

    /// <summary>
    /// Most bytes of an answer, while it comes in, for which the request is kept as well: an answer that asks for input is not longer. Beyond it a request
    /// of more than <see cref="SmallBytes"/> is let go, so that a large message each way is held once.
    /// </summary>
    public const int MaxQuestionBytes = 4 * 1024 * 1024;

    /// <summary>Up to here a request is kept whatever comes in.</summary>
    public const int SmallBytes = 1024 * 1024;

    /// <summary>Most times a server may ask for more before it has answered a request.</summary>
    public const int MaxRounds = 64;

    private const string ClientHasEnded = "The server wants more input before it answers the request, and the client sends no more.";

    private const string AskedTooMuch = "The server wants more input before it answers the request, but it has sent more than 4 MiB for it first. "
        + "A request above 1 MiB is not kept beyond that, so it cannot be sent again.";

    private const string TooManyBytes = "The bridge holds too many bytes of requests that the server has not answered. Wait for answers before more is sent.";

    /// <summary>The wait before a request is sent again for which the server has asked nothing.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);

    /// <summary>The client of the older era.</summary>
    private readonly LegacyClient _client;

    /// <summary>Makes messages for the server.</summary>
    private readonly ModernMessages _messages;

    /// <summary>Requests that the server has and has not answered, by the id they have there.</summary>
    private readonly Dictionary<MessageId, JoinedRequest> _atServer = [];

    /// <summary>All that are not finished, by the client's id.</summary>
    private readonly Dictionary<MessageId, JoinedRequest> _open = [];

    /// <summary>Requests to the client that it has not answered: each with the request for which it was asked.</summary>
    private readonly Dictionary<MessageId, JoinedRequest> _asked = [];

    /// <summary>Most bytes that are kept of open requests.</summary>
    private readonly long _maxKeptBytes;

    /// <summary>How many bytes are kept: the sum over <see cref="_open"/>.</summary>
    private long _keptBytes;

    /// <summary>The client sends no more: it cannot be asked, and nothing is sent again.</summary>
    private bool _hasEnded;

    public LegacyRequests(LegacyClient client, ModernMessages messages, long maxKeptBytes = MaxKeptBytes)
    {
        _client = client;
        _messages = messages;
        _maxKeptBytes = maxKeptBytes;
    }

    /// <summary>Whether a request that is not answered yet has this id, at the client or at the server.</summary>
    public bool IsOpen(MessageId id) => _open.ContainsKey(id) || _atServer.ContainsKey(id);

    /// <summary>Sends a request on.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="message">The request.</param>
    /// <param name="head">Its head.</param>
    /// <param name="origin">What the request lies in; null for memory of its own.</param>
    /// <param name="actions">Get what is to be done.</param>
    public void Forward(MessageId id, in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin, List<EraAction> actions)
    {
        Debug.Assert(!_open.ContainsKey(id), "An id that is in use is refused before.");
        if (_open.Count >= MaxOpen)
        {
            Refuse(id, OwnMessages.InternalError, $"There are {MaxOpen} open requests already.", actions);
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

    /// <summary>A large answer to a request is coming in: it asks for nothing, so a request that is large too is no longer kept.</summary>
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

    /// <summary>The client sends no more: what it has been asked it will not answer.</summary>
    public void ClientEnded(List<EraAction> actions)
    {
        _hasEnded = true;
        foreach (JoinedRequest open in _open.Values.Where(open => open.Round is not null).ToArray())
        {
            Withdraw(open, ClientHasEnded, actions);
            Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, ClientHasEnded), actions);
        }
    }

    /// <summary>The client has lost interest in a request.</summary>
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

    /// <summary>The client has answered something: what it was asked for a request, or what was never asked.</summary>
    /// <param name="message">The answer.</param>
    /// <param name="head">Its head.</param>
    /// <param name="origin">What the answer lies in; null for memory of its own.</param>
    /// <param name="actions">Get what is to be done.</param>
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
            Withdraw(open, "Another question for the same request was answered with an error.", actions);
            string fault = "The server needs an answer of the client to go on with the request, and the client has answered with an error. "
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

    /// <summary>The server has answered something.</summary>
    public void Answered(MessageId? request, in ReadOnlySequence<byte> message, RpcHead head, List<EraAction> actions)
    {
        if (request is not { } id || !_atServer.TryGetValue(id, out JoinedRequest? open))
        {
            // Cancelled; or an error that the bridge has made of something that never came here.
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
                string fault = $"The server answered with a kind of result that revision {_client.Revision} does not have. It cannot be translated.";
                Finish(open, OwnMessages.Error(open.Client, OwnMessages.InternalError, fault), actions);
                break;
        }
    }

    /// <summary>The server wants more before it answers.</summary>
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

        // The request goes on under another id. What the server still sends under the old id is dropped.
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
        Debug.Assert(round.Asked.Count == 0, "All that was asked has been answered.");
        Debug.Assert(open.Sent is not null, "The server is asked again only for what is kept.");
        ToServer again = _messages.Again(open.Sent, round.Answers, round.State) with { After = after, Hold = open.Share().Use() };
        open.Round = null;
        Keep(open, again.Message.Length - open.KeptBytes); // its answers and its state are in the new message
        open.Sent = again;
        open.Upstream = again.Id!.Value;
        _atServer.Add(open.Upstream, open);
        actions.Add(again);
    }

    /// <summary>Takes back what the client has been asked for a request, and has not answered.</summary>
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
        Debug.Assert(_open.Count > 0 || _keptBytes == 0, "What is kept is kept for open requests.");
    }

    private bool HasRoom(long bytes) => bytes == 0 || _keptBytes + bytes <= _maxKeptBytes;

    /// <summary>Notes that more, or less, is kept for a request.</summary>
    private void Keep(JoinedRequest open, long bytes)
    {
        open.KeptBytes += bytes;
        _keptBytes += bytes;
        Debug.Assert(open.KeptBytes >= 0 && _keptBytes >= open.KeptBytes, "What is given back was kept.");
    }

    private static void Refuse(MessageId id, int code, string sentence, List<EraAction> actions) =>
        actions.Add(new ToClient(OwnMessages.Error(id, code, sentence)));
}
