using System.Net;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>Accepts connections from the listeners while there is room, and starts each one. A failed accept never ends the loop.</summary>
internal sealed class AcceptLoop : IDisposable
{
    /// <summary>How long the loop pauses after a failed accept. Usually the system has no descriptor for another connection (EMFILE, ENFILE).</summary>
    private static readonly TimeSpan BackOff = TimeSpan.FromMilliseconds(200);

    private readonly SharedServices _parts;

    /// <summary>One listener, or two with the same port.</summary>
    private readonly Listener[] _listeners;

    /// <summary>Counts how many more connections may be started.</summary>
    private readonly SemaphoreSlim _slots;

    /// <summary>Cancels every wait of the loop except the accept itself, which ends when the listener is disposed.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Called by each connection when it has ended. Allocated once.</summary>
    private readonly Action _left;

    /// <param name="parts">The services that all connections share.</param>
    /// <param name="listeners">Bound listeners; disposed with the loop.</param>
    /// <param name="entrance">The settings for the connections accepted here, until <see cref="Doorway"/> gets others.</param>
    public AcceptLoop(SharedServices parts, Listener[] listeners, Entrance entrance)
    {
        _parts = parts;
        _listeners = listeners;
        Doorway = new Doorway(entrance);
        _slots = new SemaphoreSlim(MaxConnections(parts));
        _left = OnLeft;
    }

    /// <summary>The address that was actually bound.</summary>
    public IPEndPoint LocalEndPoint => _listeners[0].LocalEndPoint;

    /// <summary>Holds the settings for every connection accepted here.</summary>
    public Doorway Doorway { get; }

    /// <summary>Accepts until the loop is disposed. Never throws.</summary>
    public Task RunAsync() => Task.WhenAll(Array.ConvertAll(_listeners, RunAsync));

    private async Task RunAsync(Listener listener)
    {
        using var spares = new Descriptors();
        while (!_stopping.IsCancellationRequested)
        {
            if (!TryHold(spares) || !await ServeNextAsync(listener, spares).ConfigureAwait(false))
            {
                await RestAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Closes the listeners and ends the loop. Connections that were accepted continue.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        Array.ForEach(_listeners, static listener => listener.Dispose());
    }

    /// <summary>The limit from the options, or less if the process has too few descriptors.</summary>
    private static int MaxConnections(SharedServices parts)
    {
        int most = Descriptors.RoomFor(parts.Limits.MaxConnections);
        if (most < parts.Limits.MaxConnections)
        {
            bool isFarBelow = most < parts.Limits.MaxConnections / 2;
            parts.Logger.ConnectionsLimited(isFarBelow ? LogLevel.Information : LogLevel.Debug, most, parts.Limits.MaxConnections);
        }

        return most;
    }

    /// <summary>Takes the spare descriptors. If they are not all available, the loop accepts nothing before its next try, and logs that.</summary>
    private bool TryHold(Descriptors spares)
    {
        bool isHeld = spares.TryHold();
        if (!isHeld)
        {
            _parts.Metrics.AcceptFailed(new IOException("A connection could not be accepted: the process has no file descriptors left."), BackOff);
        }

        return isHeld;
    }

    /// <summary>Accepts a connection, and starts it as soon as there is a slot.</summary>
    /// <remarks>
    /// A slot is taken only after the accept. So a listener that nobody connects to holds no slot, and the other listener can use all of them.
    /// </remarks>
    /// <returns>Whether a connection was started. It holds the slot now.</returns>
    private async Task<bool> ServeNextAsync(Listener listener, Descriptors spares)
    {
        try
        {
            if (await listener.AcceptAsync().ConfigureAwait(false) is { } connection && await TakeSlotAsync(connection).ConfigureAwait(false))
            {
                _parts.Connections.Enter();
                _ = new ClientConnection(_parts, connection, Doorway, _left).RunAsync(); // never throws
                return true;
            }
        }
        catch (Exception fault)
        {
            // Usually the process has no free descriptor. Whatever the cause, the loop must continue: a proxy that no longer accepts is useless.
            spares.LetGo();
            _parts.Metrics.AcceptFailed(fault, BackOff);
        }

        return false;
    }

    /// <summary>Waits until the number of client connections allows one more.</summary>
    /// <returns>False once the loop is stopped; then the connection has been closed.</returns>
    private async ValueTask<bool> TakeSlotAsync(Connection accepted)
    {
        try
        {
            await _slots.WaitAsync(_stopping.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            accepted.Close(reset: false);
            return false;
        }
    }

    private async Task RestAsync()
    {
        try
        {
            await Task.Delay(BackOff, _parts.Clock, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The loop was stopped. It checks that itself.
        }
    }

    private void OnLeft()
    {
        _slots.Release();
        _parts.Connections.Leave();
    }
}
