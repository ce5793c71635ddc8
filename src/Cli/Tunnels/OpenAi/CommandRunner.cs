using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Runs a command once and delivers the answer.</summary>
/// <param name="proxy">The way to the MCP server.</param>
/// <param name="target">The MCP server.</param>
/// <param name="delivery">Delivers the answers.</param>
/// <param name="logger">Gets what cannot be done.</param>
internal sealed class CommandRunner(McpProxy proxy, Uri target, AnswerPost delivery, ILogger logger)
{
    /// <summary>Largest answer passed on, 64 MiB like any MCP message.</summary>
    private const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Runs a command. Never throws.</summary>
    /// <param name="command">The command.</param>
    /// <param name="receivedAt">When the head of the poll's response arrived, as a timestamp of the monotonic clock.</param>
    /// <param name="stopping">Cancels the command; nothing is posted then.</param>
    public async Task RunAsync(TunnelCommand command, long receivedAt, CancellationToken stopping)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (command.Timeout is { } timeout)
        {
            TimeSpan left = timeout - TimeProvider.System.GetElapsedTime(receivedAt);
            if (left <= TimeSpan.Zero)
            {
                logger.CommandExpired(command.RequestId);
                return;
            }

            deadline.CancelAfter(left);
        }

        try
        {
            if (await AnswerAsync(command, deadline.Token) is { } answer)
            {
                await delivery.AnswerAsync(command, answer, deadline.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The deadline has passed or the process ends.
            logger.CommandExpired(command.RequestId);
        }
        catch (Exception bug)
        {
            logger.CommandFailed(command.RequestId, bug.GetType().Name);
        }
    }

    private async Task<ReadOnlyMemory<byte>?> AnswerAsync(TunnelCommand command, CancellationToken cancel)
    {
        switch (command.Type)
        {
            case TunnelCommand.JsonRpc:
                return await SendAsync(command, MessageShape.Of(command.Message), cancel);
            case TunnelCommand.SessionTermination:
                return await EndSessionAsync(command, cancel);
            default:
                logger.CommandUnknown(command.Type, command.RequestId);
                return null;
        }
    }

    private async Task<ReadOnlyMemory<byte>> EndSessionAsync(TunnelCommand command, CancellationToken cancel)
    {
        using McpExchange? exchange = await McpExchange.SendAsync(proxy, target, "DELETE", command.Headers, default, cancel);
        McpResponse? response = exchange is null ? null : await exchange.ResponseAsync(cancel);
        return Envelope.Acknowledgment(command, response?.Status ?? TunnelFailure.Closed.Code, response);
    }

    private async Task<ReadOnlyMemory<byte>> SendAsync(TunnelCommand command, MessageShape asked, CancellationToken cancel)
    {
        if (asked.Kind is MessageKind.None)
        {
            return Envelope.Failure(command, asked.Id, TunnelFailure.Internal);
        }

        using McpExchange? exchange = await McpExchange.SendAsync(proxy, target, "POST", command.Headers, command.Message, cancel);
        McpResponse? response = exchange is null ? null : await exchange.ResponseAsync(cancel);
        if (asked.Kind is MessageKind.Notification or MessageKind.Response or MessageKind.Error)
        {
            return Envelope.Acknowledgment(command, response?.Status ?? TunnelFailure.Closed.Code, response);
        }

        if (response is null)
        {
            return Envelope.Failure(command, asked.Id, exchange is null ? TunnelFailure.Internal : TunnelFailure.Closed);
        }

        try
        {
            return response.IsEventStream && response.Status < 300
                ? await ReadStreamAsync(command, asked, response, cancel)
                : await ReadBodyAsync(command, asked, response, cancel);
        }
        catch (IOException)
        {
            return Envelope.Failure(command, asked.Id, response.Status >= 400 ? TunnelFailure.Http(response.Status) : TunnelFailure.Protocol, response);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(TunnelCommand command, MessageShape asked, McpResponse response, CancellationToken cancel)
    {
        ReadOnlyMemory<byte> body = await response.ReadBodyAsync(MaxBytes, cancel) ?? default;
        MessageShape said = MessageShape.Of(body);
        if (said.Kind is MessageKind.Error && TunnelFailure.OfProxy(response.Status, body) is { } own)
        {
            return Envelope.Failure(command, asked.Id, own);
        }

        bool isAnswer = said.Kind is MessageKind.Error
            || (response.Status < 300 && (asked.IsAnsweredBy(said) || (asked.Kind is MessageKind.Batch && said.Kind is MessageKind.Batch)));
        return isAnswer ? Envelope.Answer(command, response, body)
            : Envelope.Failure(command, asked.Id, response.Status >= 400 ? TunnelFailure.Http(response.Status) : TunnelFailure.Protocol, response);
    }

    private async Task<ReadOnlyMemory<byte>> ReadStreamAsync(TunnelCommand command, MessageShape asked, McpResponse response, CancellationToken cancel)
    {
        var events = new EventReader(response);
        bool notifies = true;
        while (await events.ReadAsync(cancel) is { } message)
        {
            MessageShape said = MessageShape.Of(message);
            if (said.Kind is MessageKind.Error || asked.IsAnsweredBy(said))
            {
                return Envelope.Answer(command, response, message);
            }

            if (said.Kind is MessageKind.Notification)
            {
                notifies = notifies && await delivery.NotifyAsync(command, Envelope.Message(command, Envelope.Notification, response, message), cancel);
            }
            else
            {
                logger.ServerMessageDropped(command.RequestId);
            }
        }

        return Envelope.Failure(command, asked.Id, TunnelFailure.Protocol, response);
    }
}
