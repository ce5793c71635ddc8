namespace McpProxyFast.Bridge;

/// <summary>Bounds the memory of one direction: so many messages above <see cref="Large"/> are held at a time, the others wait.</summary>
/// <remarks>Who waits has read that much of its message and no more, so that its peer is held back.</remarks>
#pragma warning disable CA1001 // Messages may give their turn back when the bridge has ended; the semaphore has nothing that needs disposal.
internal sealed class LargeMessages : IMessageBound
#pragma warning restore CA1001
{
    /// <summary>From here on a message takes a turn.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>Most large messages that one direction holds: with <see cref="BridgeLimits.MaxMessageBytes"/> at most 256 MiB.</summary>
    public const int MostAtATime = 4;

    private readonly SemaphoreSlim _turns = new(MostAtATime);

    /// <summary>Waits for a turn where the message has become large and has none.</summary>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        message.Length <= Large || message.HasTurn ? ValueTask.CompletedTask : WaitAsync(message, cancellationToken);

    private async ValueTask WaitAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        message.Keep(new Turn(_turns));
    }

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}
