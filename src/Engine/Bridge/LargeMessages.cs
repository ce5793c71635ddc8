using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory of a server's messages. A fixed number of messages above <see cref="Medium"/>, and a fixed number above <see cref="Large"/>, may be held
/// at a time. The others wait for a turn, that is, until one of these is done.
/// </summary>
/// <remarks>
/// A message that waits is read no further, so that the server is slowed down. Each message has an exchange of its own, so it delays no other. A medium message
/// that becomes large keeps its medium turn until it gets a large one. A large message waits for no further turn, so every turn is given back in the end.
/// </remarks>
/// <param name="clock">Times how long the server's bytes are waited for.</param>
internal sealed class LargeMessages(TimeProvider clock) : IMessageBound
{
    /// <summary>A message of more bytes needs a medium turn.</summary>
    public const int Medium = 64 * 1024;

    /// <summary>A message of more bytes needs a large turn.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>The number of medium turns. The messages that have one take at most 64 MiB together.</summary>
    public const int MaxMediumAtATime = 64;

    /// <summary>
    /// The number of large turns. With <see cref="BridgeLimits.MaxMessageBytes"/> each, the messages that have one take at most 256 MiB together.
    /// </summary>
    public const int MaxAtATime = 4;

    /// <summary>For how long no bytes of a message with a turn may arrive while another message waits for a turn.</summary>
    public static readonly TimeSpan StallTime = TimeSpan.FromSeconds(15);

    private readonly Turns _medium = new(MaxMediumAtATime);
    private readonly Turns _large = new(MaxAtATime);

    /// <summary>The clock that times how long the server's bytes are waited for.</summary>
    public TimeProvider Clock => clock;

    /// <summary>Waits for a turn if the message needs one that it does not have yet.</summary>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        if (message.Length <= Medium)
        {
            return ValueTask.CompletedTask;
        }

        Turns turns = message.Length > Large ? _large : _medium;
        return message.Hold is Turn turn && (turn.Of == _large || turn.Of == turns) ? ValueTask.CompletedTask : WaitAsync(turns, message, cancellationToken);
    }

    /// <summary>Reads the next bytes of a message.</summary>
    /// <param name="stream">The stream that the message arrives on.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="message">The bytes of the message so far.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">The message has a turn, has stalled for <see cref="StallTime"/>, and another message waits for that turn.</exception>
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
            throw new IOException("The server has stalled in the middle of a large message while other messages wait.");
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
            // The read has ended meanwhile.
        }
    }

    private static async ValueTask WaitAsync(Turns turns, MessageBuffer message, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        message.GiveUpHold(); // the medium turn, if it had one
        message.Keep(new Turn(turns));
    }

    /// <summary>The turns for messages of one size class: medium or large.</summary>
    /// <param name="most">The number of turns.</param>
#pragma warning disable CA1001 // Messages may give their turn back when the bridge has ended; the semaphore has nothing that needs disposal.
    private sealed class Turns(int most)
#pragma warning restore CA1001
    {
        private readonly SemaphoreSlim _free = new(most);

        /// <summary>How many messages wait for a turn.</summary>
        private int _waiting;

        /// <summary>Whether a message waits for a turn.</summary>
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
                Debug.Assert(left >= 0, "Each waiting message is counted once.");
            }
        }

        public void Release() => _free.Release();
    }

    /// <summary>A turn that a message has. Its disposal gives the turn back.</summary>
    /// <param name="of">The turns that it belongs to.</param>
    private sealed class Turn(Turns of) : IDisposable
    {
        public Turns Of => of;

        public void Dispose() => of.Release();
    }
}
