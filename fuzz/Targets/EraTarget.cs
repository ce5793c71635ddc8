using System.Buffers;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>
/// A client and a server that say anything, with a join of eras between them: only messages leave, each request of the client is answered at most once, and
/// the server never sees one id twice at a time.
/// </summary>
/// <remarks>A line of the input is a message: of the server where it starts with <c>&gt;</c>, of the client else. <c>$1</c> to <c>$9</c> in it stand for the latest ids that left.</remarks>
internal sealed class EraTarget : IFuzzTarget
{
    private static readonly byte[] Initialize =
        """{"jsonrpc":"2.0","id":"hand","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{},"elicitation":{"url":{}}}}}"""u8.ToArray();

    public string Name => "eras";

    public string Dictionary => "messages";

    public void Run(ReadOnlySpan<byte> input)
    {
        var run = new EraRun(Initialize);
        foreach (Range line in input.Split((byte)'\n'))
        {
            run.Take(input[line].ToArray());
        }
    }

    /// <summary>One run, with what has to be known to judge it.</summary>
    private sealed class EraRun
    {
        private readonly LegacyClientJoin _join;

        /// <summary>Requests of the client that are not answered.</summary>
        private readonly HashSet<MessageId> _unanswered = [];

        /// <summary>Requests that the server has, and has not answered.</summary>
        private readonly HashSet<MessageId> _atServer = [];

        /// <summary>Ids of requests that left, to either side; the latest last.</summary>
        private readonly List<MessageId> _left = [];

        public EraRun(byte[] initialize)
        {
            RpcHead head = MessageScanner.Scan(initialize);
            _join = new LegacyClientJoin(new ReadOnlySequence<byte>(initialize), head);
            _unanswered.Add(head.Id!.Value);
            Check(_join.Start());
        }

        public void Take(byte[] line)
        {
            bool isServers = line is [(byte)'>', ..];
            byte[] bytes = Fill(isServers ? line[1..] : line);
            RpcHead head = MessageScanner.Scan(bytes);
            if (head.Kind is MessageKind.Broken or MessageKind.Batch)
            {
                return; // what is before the join keeps them away
            }

            var message = new ReadOnlySequence<byte>(bytes);
            if (!isServers)
            {
                bool isNew = head.Kind is MessageKind.Request && _unanswered.Add(head.Id!.Value);
                Forget(head);
                Check(_join.FromClient(message, head), mayRepeat: head.Kind is MessageKind.Request && !isNew ? head.Id : null);
                return;
            }

            MessageId? request = head.IsAnswer ? head.Id : head.SubscriptionId;
            if (head.IsAnswer && head.Id is { } answered)
            {
                _atServer.Remove(answered);
            }

            Check(_join.FromServer(request, message, head));
        }

        /// <summary>A cancelled request needs no answer any more.</summary>
        private void Forget(RpcHead head)
        {
            if (head is { Method: Methods.Cancelled, CancelledId: { } cancelled })
            {
                _unanswered.Remove(cancelled);
            }
        }

        private byte[] Fill(byte[] line)
        {
            var filled = new List<byte>(line.Length);
            for (int i = 0; i < line.Length; i++)
            {
                bool isPlace = line[i] == '$' && i + 1 < line.Length && line[i + 1] is >= (byte)'1' and <= (byte)'9' && _left.Count >= line[i + 1] - '0';
                filled.AddRange(isPlace ? _left[^(line[i + 1] - '0')].Raw.ToArray() : [line[i]]);
                i += isPlace ? 1 : 0;
            }

            return [.. filled];
        }

        private void Check(IReadOnlyList<EraAction> actions, MessageId? mayRepeat = null)
        {
            foreach (EraAction action in actions)
            {
                switch (action)
                {
                    case ToClient told:
                        JudgeTold(told, mayRepeat);
                        break;
                    case ToServer sent:
                        JudgeSent(sent);
                        break;
                    case CloseServer closed:
                        _atServer.Remove(closed.Id);
                        break;
                    default:
                        break;
                }
            }
        }

        private void JudgeTold(ToClient told, MessageId? mayRepeat)
        {
            RpcHead head = MessageScanner.Scan(told.Message);
            Require(head.Kind is not (MessageKind.Broken or MessageKind.Batch), $"The client gets messages alone, not {head.Fault}.");
            if (head is { Kind: MessageKind.Request, Id: { } asked })
            {
                Require(head.Method is Methods.CreateMessage or Methods.Elicit or Methods.ListRoots, $"The client is asked what it understands, not '{head.Method}'.");
                _left.Add(asked);
            }

            // An error for what never came here is passed on, so only results are counted.
            if (head is { Kind: MessageKind.Response, Id: { } answered })
            {
                Require(_unanswered.Remove(answered) || answered == mayRepeat, $"Each request is answered once, {answered} again.");
            }
            else if (head is { Kind: MessageKind.ErrorResponse, Id: { } failed } && failed != mayRepeat)
            {
                _unanswered.Remove(failed);
            }
        }

        private void JudgeSent(ToServer sent)
        {
            RpcHead head = MessageScanner.Scan(sent.Message);
            Require(head.IsCall, $"The server gets requests and notifications alone, not {head.Kind} {head.Fault}.");
            Require(head.ProtocolVersion == Revisions.Modern, "Each says its revision.");
            Require(head.Id == sent.Id, "It is sent under its id.");
            if (sent.Id is { } id)
            {
                Require(_atServer.Add(id), $"The server sees an id once at a time, {id} again.");
                _left.Add(id);
            }
        }
    }
}
