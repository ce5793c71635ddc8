using System.Buffers;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Makes a new session by sending kept messages of the client again, and tells the client which lists may have changed.</summary>
/// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
/// <param name="transport">The transport that has lost its session.</param>
internal sealed class SessionRecovery(UpstreamParts parts, UpstreamTransport transport)
{
    /// <summary>
    /// Sends the client's <c>initialize</c>, <c>notifications/initialized</c>, log level and subscriptions again. Tells it which lists may have changed.
    /// </summary>
    /// <returns>Whether there is a new session.</returns>
    public async Task<bool> RunAsync()
    {
        try
        {
            ClientMemory memory = parts.Delivery.Memory;
            if (memory.Initialize is not { } initialize || await SendAsync(initialize).ConfigureAwait(false) is not { Kind: MessageKind.Response })
            {
                parts.Settings.Logger.SessionLost();
                return false;
            }

            foreach (byte[] message in memory.BehindInitialize())
            {
                await SendAsync(message).ConfigureAwait(false);
            }

            parts.Settings.Logger.SessionMadeAnew();
            foreach (string changed in memory.IsInitialized ? memory.ChangingLists : [])
            {
                await parts.Delivery.SendToClientAsync(new ReadOnlySequence<byte>(ErrorMessage.Notification(changed))).ConfigureAwait(false);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception bug)
        {
            parts.Settings.Logger.BridgeFailed(bug);
            return false;
        }
    }

    /// <returns>The head of the answer; null if there was no answer.</returns>
    private Task<RpcHead?> SendAsync(byte[] bytes) =>
        OwnExchange.SendAsync(parts, transport, new ReadOnlySequence<byte>(bytes), answer => MessageScanner.Scan(answer));
}
