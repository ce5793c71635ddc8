using System.Buffers;

namespace McpProxyFast.Bridge;

/// <summary>
/// Answers that are made where the client's messages are read. The reader goes on without them, so that a client that does not read is still heard: its
/// end, and its cancellations.
/// </summary>
/// <param name="front">The client.</param>
/// <param name="running">Counts the answers that are under way.</param>
#pragma warning disable CA1001 // Answers may still be under way when the bridge has ended; the semaphore has nothing that needs disposal.
internal sealed class AnswerQueue(IBridgeFront front, RunningCount running)
#pragma warning restore CA1001
{
    /// <summary>Most answers that are under way; the reader waits if there are more.</summary>
    public const int MaxWaiting = 256;

    /// <summary>Largest answer that is not waited for.</summary>
    public const int MaxBytes = 64 * 1024;

    private readonly SemaphoreSlim _room = new(MaxWaiting);

    /// <summary>Sends an answer. For one caller at a time, in whose order they are sent. If the client has gone, it is dropped.</summary>
    /// <param name="answer">Memory of its own.</param>
    /// <returns>When the caller may go on.</returns>
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
            // Everything ends by itself.
        }
        finally
        {
            _room.Release();
            running.Leave();
        }
    }
}
