using System.Buffers;

namespace McpProxyFast.Bridge;

/// <summary>
/// Sends the answers that are made while the client's messages are received, such as errors for invalid messages. Receiving does not wait until the client has
/// read them. So the client's cancellations and the end of its input are seen even if the client reads nothing.
/// </summary>
/// <param name="front">The connection to the client.</param>
/// <param name="running">Counts the answers that are being sent.</param>
#pragma warning disable CA1001 // The semaphore is not disposed of: an answer may still use it when the conversation is over. It holds no system handle.
internal sealed class AnswerQueue(IBridgeFront front, RunningCount running)
#pragma warning restore CA1001
{
    /// <summary>The maximum number of answers that are being sent at a time. <see cref="SendAsync"/> waits until there are fewer.</summary>
    public const int MaxWaiting = 256;

    /// <summary>The size in bytes above which <see cref="SendAsync"/> waits until the answer has been sent.</summary>
    public const int MaxBytes = 64 * 1024;

    private readonly SemaphoreSlim _room = new(MaxWaiting);

    /// <summary>
    /// Starts to send an answer. Answers are sent in the order of the calls, and only one caller at a time may call it. If the client has gone, the answer is
    /// dropped.
    /// </summary>
    /// <param name="answer">One JSON-RPC message, in memory that nobody else uses.</param>
    /// <returns>A task that ends when the caller may continue: at once, unless <see cref="MaxWaiting"/> or <see cref="MaxBytes"/> is exceeded.</returns>
    public async ValueTask SendAsync(ReadOnlySequence<byte> answer)
    {
        await _room.WaitAsync().ConfigureAwait(false);
        running.Enter();
        Task sending = RunAsync(answer); // never throws
        if (answer.Length > MaxBytes)
        {
            await sending.ConfigureAwait(false);
        }
    }

    private async Task RunAsync(ReadOnlySequence<byte> answer)
    {
        try
        {
            await front.SendAsync(answer).ConfigureAwait(false);
        }
        catch (FrontClosedException)
        {
            // The client has gone. The conversation ends because IBridgeFront.Gone is cancelled.
        }
        finally
        {
            _room.Release();
            running.Leave();
        }
    }
}
