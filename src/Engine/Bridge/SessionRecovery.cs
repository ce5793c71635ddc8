using System.Buffers;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Makes a new session by the client's own words, and tells the client what may have changed.</summary>
/// <param name="parts">The conversation's.</param>
/// <param name="transport">What has lost its session.</param>
internal sealed class SessionRecovery(UpstreamParts parts, UpstreamTransport transport)
{
    /// <summary>Initializes again, and makes the client's subscriptions again.</summary>
    /// <returns>Whether there is a session.</returns>
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

    /// <returns>What its answer is; null where there was none.</returns>
    private async Task<RpcHead?> SendAsync(byte[] bytes) =>
        await OwnExchange.SendAsync(parts, transport, new ReadOnlySequence<byte>(bytes)).ConfigureAwait(false) is { } answer
            ? MessageScanner.Scan(answer)
            : null;
}
