using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory of a server's messages: so many above <see cref="Medium"/>, and so many above <see cref="Large"/>, are held at a time, the others wait.
/// </summary>
/// <remarks>
/// Who waits has read that much of its message and no more, so that its peer is held back. Each is read from an exchange of its own, so it holds up no other.
/// A message that becomes large keeps its turn among the medium ones until it has one among the large, which wait for none: so turns always come.
/// </remarks>
/// <param name="clock">Tells when a message that has its turn stalls.</param>
internal sealed class LargeMessages(TimeProvider clock) : IMessageBound
{
    /// <summary>From here on a message takes a turn among those of medium length.</summary>
    public const int Medium = 64 * 1024;

    /// <summary>From here on a message takes a turn among the large.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>Most messages of medium length that are held: at most 64 MiB.</summary>
    public const int MaxMediumAtATime = 64;

    /// <summary>Most large messages that are held: with <see cref="BridgeLimits.MaxMessageBytes"/> at most 256 MiB.</summary>
    public const int MaxAtATime = 4;

    /// <summary>How long a message that has its turn may stall while another one waits.</summary>
    public static readonly TimeSpan StallTime = TimeSpan.FromSeconds(15);

    private readonly Turns _medium = new(MaxMediumAtATime);
    private readonly Turns _large = new(MaxAtATime);

    /// <summary>Waits for a turn where the message has become too long for the one that it has, or has none.</summary>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        if (message.Length <= Medium)
        {
            return ValueTask.CompletedTask;
        }

        Turns turns = message.Length > Large ? _large : _medium;
        return message.Hold is Turn turn && (turn.Of == _large || turn.Of == turns) ? ValueTask.CompletedTask : WaitAsync(turns, message, cancellationToken);
    }

    /// <summary>Reads on in a message.</summary>
    /// <param name="stream">What it comes on.</param>
    /// <param name="buffer">Gets the bytes.</param>
    /// <param name="message">What has come of it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">The message has its turn, nothing has come for a while, and another one waits for the turn.</exception>
    public ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, MessageBuffer message, CancellationToken cancellationToken) =>
        message.Hold is Turn turn ? ReadInTurnAsync(turn.Of, stream, buffer, cancellationToken) : stream.ReadAsync(buffer, cancellationToken);

    private async ValueTask<int> ReadInTurnAsync(Turns turns, Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using ITimer stalled = clock.CreateTimer(_ => EndIfWanted(turns, reading), null, StallTime, StallTime);
        try
        {
            return await stream.ReadAsync(buffer, reading.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The server stalls within a large message, and others wait.");
        }
    }

    private static void EndIfWanted(Turns turns, CancellationTokenSource reading)
    {
        if (!turns.IsWanted)
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

    private static async ValueTask WaitAsync(Turns turns, MessageBuffer message, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        message.GiveUpHold(); // its turn among the shorter
        message.Keep(new Turn(turns));
    }

    /// <summary>Turns for messages of one length.</summary>
    /// <param name="most">How many there are.</param>
#pragma warning disable CA1001 // Messages may give their turn back when the bridge has ended; the semaphore has nothing that needs disposal.
    private sealed class Turns(int most)
#pragma warning restore CA1001
    {
        private readonly SemaphoreSlim _free = new(most);

        /// <summary>How many messages wait for a turn.</summary>
        private int _waiting;

        /// <summary>A message waits for a turn.</summary>
        public bool IsWanted => Volatile.Read(ref _waiting) > 0;

        public async ValueTask WaitAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _waiting);
            try
            {
                await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                int left = Interlocked.Decrement(ref _waiting);
                Debug.Assert(left >= 0, "Who has waited is counted once.");
            }
        }

        public void Release() => _free.Release();
    }

    /// <summary>One turn, until it is given back.</summary>
    /// <param name="of">Which turns it is one of.</param>
    private sealed class Turn(Turns of) : IDisposable
    {
        public Turns Of => of;

        public void Dispose() => of.Release();
    }
}
