using System.Buffers;

namespace McpProxyFast.Bridge;

/// <summary>
/// Sends the answers that the reader of the client's messages makes by itself. The reader does not wait for them, so it continues to read even if the client
/// reads no answers, and sees the client's cancellations and the end of its input.
/// </summary>
/// <param name="front">The connection to the client.</param>
/// <param name="running">Counts the answers that are under way.</param>
#pragma warning disable CA1001 // Answers may still be under way when the bridge has ended; the semaphore has nothing that needs disposal.
internal sealed class AnswerQueue(IBridgeFront front, RunningCount running)
#pragma warning restore CA1001
{
    /// <summary>The maximum number of answers that are being sent at a time. The reader waits if there are more.</summary>
    public const int MaxWaiting = 256;

    /// <summary>The largest answer, in bytes, that the reader does not wait for.</summary>
    public const int MaxBytes = 64 * 1024;

    private readonly SemaphoreSlim _room = new(MaxWaiting);

    /// <summary>Sends an answer, after those of earlier calls. Only one caller at a time may call it. If the client has gone, the answer is dropped.</summary>
    /// <param name="answer">One JSON-RPC message, in memory that nobody else uses.</param>
    /// <returns>A task that ends when the caller may continue.</returns>
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
            // The client has gone. Whoever watches the front ends the conversation.
        }
        finally
        {
            _room.Release();
            running.Leave();
        }
    }
}
