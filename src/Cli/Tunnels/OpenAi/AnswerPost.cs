using System.Buffers;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Posts the answers to commands to the control plane. Decides whether and when an answer is sent again.</summary>
/// <param name="plane">The control plane.</param>
/// <param name="logger">Gets a warning for each lost answer.</param>
internal sealed class AnswerPost(ControlPlane plane, ILogger logger)
{
    /// <summary>The maximum number of attempts to post a final answer; then it is lost. With the pauses they take some minutes.</summary>
    private const int MaxAttempts = 12;

    /// <summary>
    /// The maximum number of attempts to post a notification; then it is lost. There are fewer than for a final answer, which waits for it meanwhile.
    /// </summary>
    private const int MaxNotificationAttempts = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    /// <summary>Posts the final answer of a command. Every attempt sends the same bytes.</summary>
    /// <param name="command">The command that is answered.</param>
    /// <param name="body">The answer.</param>
    /// <param name="cancel">Cancelled at the deadline of the command, or when the process ends.</param>
    public async Task AnswerAsync(TunnelCommand command, ReadOnlySequence<byte> body, CancellationToken cancel)
    {
        var pauses = new RetryPauses(FirstPause, LongestPause);
        string why = "";
        for (int attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            TimeSpan asked = TimeSpan.Zero;
            try
            {
                using HttpResponseMessage response = await plane.PostAsync(command, body, isOnce: false, cancel);
                int status = (int)response.StatusCode;
                if (status is >= 200 and < 300 or 404)
                {
                    return; // accepted, or the command has already been answered
                }

                why = $"HTTP {status}";
                if (status is not (408 or 429 or 502 or 503 or 504))
                {
                    break;
                }

                asked = RetryPauses.AskedBy(response, TimeProvider.System);
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException or IOException)
            {
                why = e.Message;
            }

            if (attempt < MaxAttempts)
            {
                await Task.Delay(pauses.Next(asked), cancel);
            }
        }

        logger.AnswerLost(command.RequestId, why);
    }

    /// <summary>Posts a notification. It is sent again only if it was certainly not received.</summary>
    /// <returns>
    /// False if the notification may be lost. Then no later notification of the same command may be sent, so that none is missing between two others.
    /// </returns>
    public async Task<bool> NotifyAsync(TunnelCommand command, ReadOnlySequence<byte> body, CancellationToken cancel)
    {
        var pauses = new RetryPauses(FirstPause, LongestPause);
        for (int attempt = 1; attempt <= MaxNotificationAttempts; attempt++)
        {
            TimeSpan asked;
            try
            {
                using HttpResponseMessage response = await plane.PostAsync(command, body, isOnce: true, cancel);
                if (response.IsSuccessStatusCode)
                {
                    return true;
                }

                if ((int)response.StatusCode != 429)
                {
                    return false;
                }

                asked = RetryPauses.AskedBy(response, TimeProvider.System);
            }
            catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError)
            {
                asked = TimeSpan.Zero; // nothing was sent
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException or IOException)
            {
                return false; // it may have been received
            }

            if (attempt < MaxNotificationAttempts)
            {
                await Task.Delay(pauses.Next(asked), cancel);
            }
        }

        return false;
    }
}
