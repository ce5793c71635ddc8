using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>Bounds what is held of a client's messages: each takes room while it is read, and gives it back when its bytes are no longer needed.</summary>
/// <remarks>
/// All come one after another on the same input, so a message that waits for room holds up those behind it, also the cancellation that would make room. So it
/// waits for a bounded time, once: after that the messages for which there is no room are refused, until a large one has gone.
/// </remarks>
/// <param name="clock">For the wait.</param>
/// <param name="maxLargeBytes">Most bytes that are held where one of the messages is large.</param>
internal sealed class MessageRoom(TimeProvider clock, long maxLargeBytes = MessageRoom.MaxLargeBytes)
{
    /// <summary>From here on a message is large.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>Most bytes that are held when a large message takes more.</summary>
    public const long MaxLargeBytes = 256 * 1024 * 1024;

    /// <summary>What small messages may take beyond that: large ones that wait for a server leave room for what is said meanwhile.</summary>
    public const long SmallBytes = 64 * 1024 * 1024;

    /// <summary>What a message takes at least: it costs more than its bytes.</summary>
    private const int MinBytes = 4 * 1024;

    /// <summary>How long the client's messages wait for room.</summary>
    public static readonly TimeSpan WaitTime = TimeSpan.FromSeconds(5);

    /// <summary>Guards what follows.</summary>
    private readonly Lock _gate = new();

    /// <summary>How many bytes are taken.</summary>
    private long _taken;

    /// <summary>A wait was in vain, and no large message has gone since.</summary>
    private bool _isStalled;

    /// <summary>Completed when room is given back; null while nobody waits.</summary>
    private TaskCompletionSource? _givenBack;

    /// <summary>Takes room for what has been read of a message.</summary>
    /// <returns>Whether there was room. Where there was none, the message keeps what it has.</returns>
    public ValueTask<bool> TryTakeAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        if (message.Hold is not Share share)
        {
            message.Keep(share = new Share(this));
        }

        long bytes = Math.Max(MinBytes, message.Length);
        if (bytes <= share.Bytes)
        {
            return ValueTask.FromResult(true);
        }

        lock (_gate)
        {
            if (TryTake(share, bytes))
            {
                return ValueTask.FromResult(true);
            }

            if (_isStalled)
            {
                return ValueTask.FromResult(false);
            }
        }

        return WaitAsync(share, bytes, cancellationToken);
    }

    private async ValueTask<bool> WaitAsync(Share share, long bytes, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        while (true)
        {
            Task givenBack;
            lock (_gate)
            {
                if (TryTake(share, bytes))
                {
                    return true;
                }

                _givenBack ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                givenBack = _givenBack.Task;
            }

            TimeSpan left = WaitTime - clock.GetElapsedTime(start);
            try
            {
                await givenBack.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                lock (_gate)
                {
                    _isStalled = true;
                }

                return false;
            }
        }
    }

    /// <summary>Under the lock.</summary>
    private bool TryTake(Share share, long bytes)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread, "What is taken is counted under the lock.");
        long more = bytes - share.Bytes;
        if (_taken + more > (bytes > Large ? maxLargeBytes : maxLargeBytes + SmallBytes))
        {
            return false;
        }

        share.Bytes = bytes;
        _taken += more;
        return true;
    }

    private void GiveBack(Share share)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _taken -= share.Bytes;
            Debug.Assert(_taken >= 0, "What is given back was taken.");
            _isStalled &= share.Bytes <= Large;
            share.Bytes = 0;
            (waiting, _givenBack) = (_givenBack, null);
        }

        waiting?.TrySetResult();
    }

    /// <summary>The room of one message. Its bytes are guarded by the room's lock.</summary>
    private sealed class Share(MessageRoom room) : IDisposable
    {
        public long Bytes { get; set; }

        public void Dispose() => room.GiveBack(this);
    }
}
