using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Brings answers to the control plane. When one may be sent again, and when it must not, is here and nowhere else.</summary>
/// <param name="plane">Takes them.</param>
/// <param name="logger">Told of those that are lost.</param>
internal sealed class Delivery(ControlPlane plane, ILogger logger)
{
    /// <summary>Most attempts for an answer without a deadline; with the pauses between, some minutes.</summary>
    private const int MaxAttempts = 12;

    /// <summary>Most attempts for a notification, behind which the answer waits.</summary>
    private const int MaxNotificationAttempts = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    /// <summary>Brings the answer that ends a command, byte for byte the same in each attempt.</summary>
    /// <param name="command">What is answered.</param>
    /// <param name="body">The answer.</param>
    /// <param name="cancel">The command's deadline.</param>
    public async Task AnswerAsync(TunnelCommand command, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var pauses = new BackOff(FirstPause, LongestPause);
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
                    return; // taken, or not wanted any more
                }

                why = $"HTTP {status}";
                if (status is not (408 or 429 or 502 or 503 or 504))
                {
                    break;
                }

                asked = BackOff.AskedBy(response);
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

    /// <summary>Brings a notification, at most once.</summary>
    /// <returns>Whether it has come; if not, those behind it are not to be sent.</returns>
    public async Task<bool> NotifyAsync(TunnelCommand command, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var pauses = new BackOff(FirstPause, LongestPause);
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

                asked = BackOff.AskedBy(response);
            }
            catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError)
            {
                asked = TimeSpan.Zero; // nothing has been written
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException or IOException)
            {
                return false; // it may have come
            }

            if (attempt < MaxNotificationAttempts)
            {
                await Task.Delay(pauses.Next(asked), cancel);
            }
        }

        return false;
    }
}
