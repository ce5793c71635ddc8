using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory of a server's messages. A message of more than <see cref="Medium"/> bytes needs a medium turn, one of more than <see cref="Large"/> bytes
/// a large turn. The number of turns is fixed. If none is free, a message waits until another message is done and gives its turn back.
/// </summary>
/// <remarks>
/// A message that waits is not read any further, so the server must slow down. Only later messages on the same event stream wait with it. A medium message that
/// becomes large keeps its medium turn until it gets a large one. A message with a large turn needs no other turn, so there is no deadlock.
/// </remarks>
/// <param name="clock">Measures how long the server's bytes are waited for.</param>
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

    /// <summary>How long a message with a turn may bring no bytes while another message waits for such a turn. Then it is given up.</summary>
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
    /// <exception cref="IOException">The message has a turn and has stalled for <see cref="StallTime"/>, and another message waits for such a turn.</exception>
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
#pragma warning disable CA1001 // The semaphore is not disposed of: a message may use it when the conversation is over. It holds no system handle.
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

    /// <summary>The turn of one message. When it is disposed of, another message may have a turn.</summary>
    /// <param name="of">The turns of its size class.</param>
    private sealed class Turn(Turns of) : IDisposable
    {
        public Turns Of => of;

        public void Dispose() => of.Release();
    }
}
