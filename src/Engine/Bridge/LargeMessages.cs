using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>Bounds the memory of a server's messages: so many above <see cref="Large"/> are held at a time, the others wait.</summary>
/// <remarks>
/// Who waits has read that much of its message and no more, so that its peer is held back. Each is read from an exchange of its own, so it holds up no other.
/// </remarks>
/// <param name="clock">Tells when a message that has its turn stalls.</param>
#pragma warning disable CA1001 // Messages may give their turn back when the bridge has ended; the semaphore has nothing that needs disposal.
internal sealed class LargeMessages(TimeProvider clock) : IMessageBound
#pragma warning restore CA1001
{
    /// <summary>From here on a message takes a turn.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>Most large messages that are held: with <see cref="BridgeLimits.MaxMessageBytes"/> at most 256 MiB.</summary>
    public const int MaxAtATime = 4;

    /// <summary>How long a message that has its turn may stall while another one waits.</summary>
    public static readonly TimeSpan StallTime = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _turns = new(MaxAtATime);

    /// <summary>How many messages wait for a turn.</summary>
    private int _waiting;

    /// <summary>Waits for a turn where the message has become large and has none.</summary>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        message.Length <= Large || message.Hold is not null ? ValueTask.CompletedTask : WaitAsync(message, cancellationToken);

    /// <summary>Reads on in a message.</summary>
    /// <param name="stream">What it comes on.</param>
    /// <param name="buffer">Gets the bytes.</param>
    /// <param name="message">What has come of it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">The message has its turn, nothing has come for a while, and another one waits for the turn.</exception>
    public ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, MessageBuffer message, CancellationToken cancellationToken) =>
        message.Hold is null ? stream.ReadAsync(buffer, cancellationToken) : ReadInTurnAsync(stream, buffer, cancellationToken);

    private async ValueTask<int> ReadInTurnAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using ITimer stalled = clock.CreateTimer(state => EndIfWanted((CancellationTokenSource)state!), reading, StallTime, StallTime);
        try
        {
            return await stream.ReadAsync(buffer, reading.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The server stalls within a large message, and others wait.");
        }
    }

    private void EndIfWanted(CancellationTokenSource reading)
    {
        if (Volatile.Read(ref _waiting) == 0)
        {
            return;
        }

        try
        {
            reading.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has come meanwhile.
        }
    }

    private async ValueTask WaitAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            int left = Interlocked.Decrement(ref _waiting);
            Debug.Assert(left >= 0, "Who has waited is counted once.");
        }

        message.Keep(new Turn(_turns));
    }

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}
