using System.Buffers;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Runs the commands of the control plane: sends each at most once to the MCP server, and posts the answer.</summary>
/// <param name="proxy">The proxy, which sends requests to the MCP server.</param>
/// <param name="target">The URL of the MCP server.</param>
/// <param name="delivery">Posts the answers.</param>
/// <param name="budget">Bounds the memory that answers take.</param>
/// <param name="logger">Gets a line for each command that fails or is not answered.</param>
/// <param name="clock">Measures the deadlines of commands, and the pauses before the rest of a stream is fetched.</param>
internal sealed class CommandRunner(McpProxy proxy, Uri target, AnswerPost delivery, MemoryBudget budget, ILogger logger, TimeProvider clock)
{
    /// <summary>Runs a command. Never throws.</summary>
    /// <param name="command">The command.</param>
    /// <param name="receivedAt">When the head of the poll's response arrived (a timestamp of the clock).</param>
    /// <param name="stopping">Cancels the command. Then nothing is posted.</param>
    public async Task RunAsync(TunnelCommand command, long receivedAt, CancellationToken stopping)
    {
        TimeSpan left = command.Timeout is { } timeout ? timeout - clock.GetElapsedTime(receivedAt) : Timeout.InfiniteTimeSpan;
        if (command.Timeout is not null && left <= TimeSpan.Zero)
        {
            logger.CommandExpired(command.RequestId);
            return;
        }

        using var late = new CancellationTokenSource(left, clock);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping, late.Token);
        try
        {
            using TunnelAnswer? answer = await AnswerAsync(command, deadline.Token);
            if (answer is not null)
            {
                await delivery.AnswerAsync(command, answer.Body, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The process ends.
        }
        catch (OperationCanceledException)
        {
            logger.CommandExpired(command.RequestId);
        }
        catch (Exception bug)
        {
            logger.CommandFailed(command.RequestId, bug.GetType().Name);
        }
    }

    /// <returns>The answer; null if the command has an unknown type, so that nothing is posted.</returns>
    private async Task<TunnelAnswer?> AnswerAsync(TunnelCommand command, CancellationToken cancel)
    {
        switch (command.Type)
        {
            case TunnelCommand.JsonRpc:
                return await SendOrFailAsync(command, CommandMessage.Read(command.Message), cancel);
            case TunnelCommand.SessionTermination:
                return await EndSessionAsync(command, cancel);
            default:
                logger.CommandUnknown(command.Type, command.RequestId);
                return null;
        }
    }

    private async Task<TunnelAnswer> EndSessionAsync(TunnelCommand command, CancellationToken cancel)
    {
        using McpExchange? exchange = await McpExchange.SendAsync(proxy, target, "DELETE", command.Headers, default, cancel);
        McpResponse? response = exchange is null ? null : await exchange.ResponseAsync(cancel);
        return new TunnelAnswer(Envelope.Acknowledgment(command, response?.Status ?? TunnelFailure.Closed.Code, response));
    }

    /// <summary>Sends the message. If that fails because of a bug or for lack of memory, returns an error as the answer.</summary>
    private async Task<TunnelAnswer> SendOrFailAsync(TunnelCommand command, CommandMessage asked, CancellationToken cancel)
    {
        try
        {
            return await SendAsync(command, asked, cancel);
        }
        catch (BudgetSpentException)
        {
            logger.AnswerTooMuch(command.RequestId, budget.Most / (1024 * 1024));
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            logger.CommandFailed(command.RequestId, bug.GetType().Name);
        }

        return new TunnelAnswer(Envelope.Failure(command, asked, TunnelFailure.Internal));
    }

    private async Task<TunnelAnswer> SendAsync(TunnelCommand command, CommandMessage asked, CancellationToken cancel)
    {
        if (asked.Kind is MessageKind.Broken)
        {
            return new TunnelAnswer(Envelope.Failure(command, asked, TunnelFailure.Internal));
        }

        using McpExchange? exchange = await McpExchange.SendAsync(proxy, target, "POST", command.Headers, command.Message, cancel);
        McpResponse? response = exchange is null ? null : await exchange.ResponseAsync(cancel);
        if (asked.IsAcknowledged)
        {
            return new TunnelAnswer(Envelope.Acknowledgment(command, response?.Status ?? TunnelFailure.Closed.Code, response));
        }

        if (response is null)
        {
            return new TunnelAnswer(Envelope.Failure(command, asked, exchange is null ? TunnelFailure.Internal : TunnelFailure.Closed));
        }

        try
        {
            return response.IsEventStream && response.Status < 300
                ? await ReadStreamAsync(command, asked, response, cancel)
                : await ReadBodyAsync(command, asked, response, cancel);
        }
        catch (IOException)
        {
            return new TunnelAnswer(Envelope.Failure(command, asked, FailureOf(response), response));
        }
    }

    private static TunnelFailure FailureOf(McpResponse response) => response.Status >= 400 ? TunnelFailure.Http(response.Status) : TunnelFailure.Protocol;

    private async Task<TunnelAnswer> ReadBodyAsync(TunnelCommand command, CommandMessage asked, McpResponse response, CancellationToken cancel)
    {
        MessageBuffer body = await AnswerBody.ReadAsync(response.Body, BridgeLimits.MaxMessageBytes, budget, cancel) ?? new MessageBuffer();
        ReadOnlySequence<byte> message = Utf8Check.BehindMark(body.Bytes);
        RpcHead said = MessageScanner.Scan(message);
        TunnelFailure? own = said.Kind is MessageKind.ErrorResponse ? TunnelFailure.OfProxy(response.Status, message) : null;
        bool isAnswer = said.Kind is MessageKind.ErrorResponse
            || (response.Status < 300 && (asked.IsBatch ? said.Kind is MessageKind.Batch : said.IsAnswer && said.Id == asked.Id));
        if (own is null && isAnswer)
        {
            return new TunnelAnswer(Envelope.Answer(command, response, message), body);
        }

        body.Dispose();
        return new TunnelAnswer(own is not null ? Envelope.Failure(command, asked, own) : Envelope.Failure(command, asked, FailureOf(response), response));
    }

    private async Task<TunnelAnswer> ReadStreamAsync(TunnelCommand command, CommandMessage asked, McpResponse response, CancellationToken cancel)
    {
        using var answers = new CollectedAnswers(asked);
        using var events = new CommandStream(proxy, target, command, asked.HasResumption, response, budget, clock);
        bool notifies = true;
        while (!answers.IsWhole && await events.ReadAsync(cancel) is { IsTooLarge: false } next)
        {
            MessageBuffer message = next.Data;
            RpcHead head = next.Name == "message" ? MessageScanner.Scan(message.Bytes) : new RpcHead();
            if (answers.Take(message, head))
            {
                continue; // it is disposed of after it has been posted
            }

            using (message)
            {
                if (head.Kind is MessageKind.Notification)
                {
                    ReadOnlySequence<byte> body = Envelope.Message(command, Envelope.Notification, response, message.Bytes);
                    notifies = notifies && await delivery.NotifyAsync(command, body, cancel);
                }
                else if (next.Name == "message")
                {
                    logger.ServerMessageDropped(command.RequestId);
                    if (head.Kind is MessageKind.Broken)
                    {
                        events.NoteBroken();
                    }
                }
            }
        }

        if (!answers.IsWhole && !answers.HasSome)
        {
            return new TunnelAnswer(Envelope.Failure(command, asked, TunnelFailure.Protocol, response));
        }

        (ReadOnlySequence<byte> whole, MessageBuffer[] held) = answers.Release(id => Envelope.Error(id, TunnelFailure.Protocol));
        return new TunnelAnswer(Envelope.Answer(command, response, whole), held);
    }
}
