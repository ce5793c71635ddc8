using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Sends messages to the client: passes on what the server sends, and ends each open request once.</summary>
/// <param name="front">The connection to the client.</param>
/// <param name="settings">The settings of the conversation.</param>
internal sealed class Delivery(IBridgeFront front, BridgeSettings settings)
{
    /// <summary>The maximum number of characters of a tool's name that are logged.</summary>
    private const int MaxShownName = 128;

    public BridgeSettings Settings => settings;

    /// <summary>The requests that wait for an answer.</summary>
    public OpenRequests Open { get; } = new();

    /// <summary>The client's messages that must be sent again in a new session.</summary>
    public ClientMemory Memory { get; } = new();

    /// <summary>Which arguments of the server's tools are sent in HTTP headers too (<c>x-mcp-header</c>).</summary>
    public ToolList Tools { get; } = new();

    /// <summary>Decides which tools are hidden from the client.</summary>
    public ToolFilter Filter { get; } = new(settings.IgnoredTools);

    /// <summary>Whether a message of the client calls a tool that is hidden from the client.</summary>
    public bool IsIgnored(RpcHead call) => call is { IsCall: true, Method: Methods.CallTool } && Filter.Ignores(call.Name);

    /// <summary>Passes on a message from the server.</summary>
    /// <param name="bytes">One JSON-RPC message or batch. It must stay valid until the task has ended.</param>
    /// <param name="carrier">The message in whose HTTP response the bytes came; null if they came on a stream that answers no single message.</param>
    /// <returns>False if the bytes are not JSON-RPC.</returns>
    public async ValueTask<bool> DeliverAsync(ReadOnlySequence<byte> bytes, ClientMessage? carrier)
    {
        RpcHead head = MessageScanner.Scan(bytes);
        switch (head.Kind)
        {
            case MessageKind.Broken:
                settings.Logger.ServerMessageDropped(head.Fault.Sentence());
                return false;
            case MessageKind.Batch:
                await DeliverBatchAsync(bytes, carrier).ConfigureAwait(false);
                return true;
            case MessageKind.Response or MessageKind.ErrorResponse:
                await DeliverAnswerAsync(bytes, head, carrier).ConfigureAwait(false);
                return true;
            default:
                if (carrier is not { IsOwn: true })
                {
                    await SendToClientAsync(head.Kind is MessageKind.Notification ? Filter.ApplyToNotification(bytes) : bytes).ConfigureAwait(false);
                }

                return true;
        }
    }

    /// <summary>Tells the connection to the client that a large answer to one of its messages is being received.</summary>
    public void AnswerIsLarge(ClientMessage message)
    {
        foreach (OpenRequest request in message.IsOwn ? [] : message.Requests)
        {
            front.AnswerIsLarge(request.Id);
        }
    }

    /// <summary>Logs that an event of the server was dropped because it is too large. If it is an answer, the request that it answers gets an error.</summary>
    public ValueTask DropAsync(in ServerEvent dropped)
    {
        Debug.Assert(dropped.IsTooLarge, "Only an event that is too large is dropped.");
        settings.Logger.ServerMessageDropped(BridgeFault.For(BridgeFaultReason.MessageTooLarge).Sentence);
        return dropped.AnswerId is { } id && Open.TryEnd(id) is { } request
            ? TellAsync(request, ErrorMessage.Build(BridgeFault.For(BridgeFaultReason.AnswerTooLarge), request.Id.Raw.Span))
            : ValueTask.CompletedTask;
    }

    /// <summary>Ends a request with an error that the bridge makes, unless the request has ended already.</summary>
    public ValueTask FailAsync(OpenRequest request, BridgeFaultReason reason) =>
        FailAsync(request, ErrorMessage.Build(BridgeFault.For(reason), request.Id.Raw.Span));

    /// <summary>Ends every open request of a message with the same error.</summary>
    public async ValueTask FailAllAsync(ClientMessage message, BridgeFaultReason reason)
    {
        foreach (OpenRequest request in message.Requests)
        {
            await FailAsync(request, reason).ConfigureAwait(false);
        }
    }

    /// <summary>Ends every open request of a message with the error response of the server or the proxy.</summary>
    public async ValueTask FailAllAsync(ClientMessage message, ErrorAnswer answer)
    {
        foreach (OpenRequest request in message.Requests)
        {
            await FailAsync(request, answer.For(request.Id.Raw.Span, settings.HasCredential)).ConfigureAwait(false);
        }
    }

    /// <summary>Ends every open request of a message that cannot be sent, with the JSON-RPC error "invalid params".</summary>
    /// <param name="message">The message.</param>
    /// <param name="sentence">A sentence for the client that says what is wrong with the message's parameters.</param>
    public async ValueTask RefuseAllAsync(ClientMessage message, string sentence)
    {
        foreach (OpenRequest request in message.Requests)
        {
            await FailAsync(request, ErrorMessage.Build(OwnMessages.InvalidParams, sentence, "", request.Id.Raw.Span)).ConfigureAwait(false);
        }
    }

    /// <summary>Ends all open requests with an error that says that the bridge was stopped.</summary>
    /// <returns>A task that ends when all errors have been sent. The requests have ended before this method returns.</returns>
    public async Task StopAllAsync()
    {
        foreach (OpenRequest request in Open.EndAll())
        {
            await TellAsync(request, ErrorMessage.Build(BridgeFault.For(BridgeFaultReason.Stopped), request.Id.Raw.Span)).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a message to the client. If the client has gone, the message is dropped.</summary>
    public async ValueTask SendToClientAsync(ReadOnlySequence<byte> message)
    {
        if (front.Translates)
        {
            await PoolThread.Enter();
        }

        try
        {
            await front.SendAsync(message).ConfigureAwait(false);
        }
        catch (FrontClosedException)
        {
            Debug.Assert(front.Gone.IsCancellationRequested, "A front that throws FrontClosedException has cancelled Gone.");
        }
    }

    /// <summary>Ends a request with an error, unless the request has ended already.</summary>
    private ValueTask FailAsync(OpenRequest request, byte[] error) => Open.TryEnd(request) ? TellAsync(request, error) : ValueTask.CompletedTask;

    /// <summary>Sends the error for a request to the client, or to the code of the bridge that made the request. A cancelled request gets no error.</summary>
    private async ValueTask TellAsync(OpenRequest request, byte[] error)
    {
        Debug.Assert(request.IsEnded, "Only the caller that ended the request sends its error.");
        if (request.IsCancelled)
        {
            return;
        }

        var bytes = new ReadOnlySequence<byte>(error);
        if (request.Owner.IsOwn)
        {
            request.Owner.AnswerOwn(bytes);
            return;
        }

        await SendToClientAsync(bytes).ConfigureAwait(false);
    }

    /// <summary>
    /// Forwards a batch unchanged if each of its messages answers another open request of the client, and no tools are hidden. Otherwise forwards its messages
    /// one by one, and drops responses to unknown requests.
    /// </summary>
    private async ValueTask DeliverBatchAsync(ReadOnlySequence<byte> batch, ClientMessage? carrier)
    {
        if (BatchReader.Split(batch, BridgeLimits.MaxBatch) is not { } parts)
        {
            settings.Logger.ServerMessageDropped(BridgeFault.For(BridgeFaultReason.BatchTooLong).Sentence);
            return;
        }

        RpcHead[] heads = [.. parts.Select(part => MessageScanner.Scan(part))];
        bool mayPass = carrier is not { IsOwn: true } && !settings.ChangesMessages && Array.TrueForAll(heads, head => head.IsAnswer && head.Id is not null);
        if (mayPass && Open.TryEndAll([.. heads.Select(head => head.Id!.Value)]) is { } ended)
        {
            for (int i = 0; i < ended.Length; i++)
            {
                NoteHandshake(ended[i], parts[i], heads[i]);
            }

            await SendToClientAsync(batch).ConfigureAwait(false);
            return;
        }

        for (int i = 0; i < parts.Count; i++)
        {
            if (heads[i].Kind is not MessageKind.Batch)
            {
                await DeliverAsync(parts[i], carrier).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask DeliverAnswerAsync(ReadOnlySequence<byte> answer, RpcHead head, ClientMessage? carrier)
    {
        if (head.Id is not { } id)
        {
            // An error without an id. If it came in the HTTP response to a single request, it answers that request.
            if (carrier is { Requests: [var only] })
            {
                await FailAsync(only, ErrorMessage.Wrap(PartialMessage.Member(answer, "error"u8), only.Id.Raw.Span)).ConfigureAwait(false);
            }

            return;
        }

        if (Open.TryEnd(id) is not { } request)
        {
            settings.Logger.ServerMessageDropped("It is an answer, but no request of the client with this id is waiting for one.");
            return;
        }

        NoteHandshake(request, answer, head);
        if (request.Owner.IsOwn)
        {
            request.Owner.AnswerOwn(answer);
            return;
        }

        await SendToClientAsync(request.Method == Methods.ListTools && head.Kind is MessageKind.Response ? TakeTools(answer) : answer).ConfigureAwait(false);
        if (!request.Owner.IsOpen)
        {
            request.Owner.Accept();
        }
    }

    /// <summary>Notes what the server has said of itself, if a message is the result of an <c>initialize</c>.</summary>
    /// <param name="request">The request that the message answers.</param>
    /// <param name="answer">The message.</param>
    /// <param name="head">The head of the message.</param>
    private void NoteHandshake(OpenRequest request, in ReadOnlySequence<byte> answer, RpcHead head)
    {
        if (request.Method == Methods.Initialize && head.Kind is MessageKind.Response)
        {
            InitializeAnswer initialized = InitializeAnswer.Read(answer);
            Memory.ChangingLists = request.Owner.IsOwn ? Memory.ChangingLists : initialized.ChangingLists;
            request.Owner.Transport?.OnInitialized(request.Owner, initialized);
        }
    }

    /// <summary>Notes which arguments of which tools the server wants in HTTP headers too.</summary>
    /// <param name="answer">An answer to <c>tools/list</c>.</param>
    public void LearnTools(in ReadOnlySequence<byte> answer)
    {
        foreach (RejectedTool rejected in Tools.Learn(answer))
        {
            settings.Logger.ToolRejected(PlainText.Of(rejected.Tool, MaxShownName), rejected.Reason);
        }
    }

    /// <summary>Learns from a list of tools which arguments are sent in headers too, and removes the tools that are hidden from the client.</summary>
    private ReadOnlySequence<byte> TakeTools(in ReadOnlySequence<byte> answer)
    {
        LearnTools(answer);
        return Filter.Apply(answer);
    }
}
