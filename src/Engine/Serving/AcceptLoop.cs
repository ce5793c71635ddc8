using System.Net;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>Accepts connections from the listeners while there is room for them, and lets each run. However an attempt fails, the next one comes.</summary>
internal sealed class AcceptLoop : IDisposable
{
    /// <summary>How long the loop rests when the system has no room for one more connection (EMFILE, ENFILE).</summary>
    private static readonly TimeSpan BackOff = TimeSpan.FromMilliseconds(200);

    private readonly ServingParts _parts;

    /// <summary>One, or two with the same port.</summary>
    private readonly Listener[] _listeners;

    /// <summary>One for each connection that may still be accepted.</summary>
    private readonly SemaphoreSlim _slots;

    /// <summary>Ends every wait of the loop but that for a connection, which the listener's end does.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Called by each connection when it is over; made once.</summary>
    private readonly Action _left;

    /// <param name="parts">What all connections share.</param>
    /// <param name="listeners">Bound; disposed with the loop.</param>
    /// <param name="entrance">What is said of every connection that comes in here, to begin with.</param>
    public AcceptLoop(ServingParts parts, Listener[] listeners, Entrance entrance)
    {
        _parts = parts;
        _listeners = listeners;
        Doorway = new Doorway(entrance);
        _slots = new SemaphoreSlim(MostConnections(parts));
        _left = OnLeft;
    }

    /// <summary>The address really bound.</summary>
    public IPEndPoint LocalEndPoint => _listeners[0].LocalEndPoint;

    /// <summary>What is said of every connection that comes in here.</summary>
    public Doorway Doorway { get; }

    /// <summary>Accepts until the loop is disposed. Never throws.</summary>
    public Task RunAsync() => Task.WhenAll(Array.ConvertAll(_listeners, RunAsync));

    private async Task RunAsync(Listener listener)
    {
        using var spares = new Descriptors();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (!spares.TryHold())
                {
                    await RestAsync().ConfigureAwait(false);
                    continue;
                }

                await _slots.WaitAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return; // stopped
            }

            if (!await AcceptAsync(listener, spares).ConfigureAwait(false))
            {
                _slots.Release();
                await RestAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Closes the listeners: no connection is accepted any more, and the loop ends. Those that were accepted go on.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        Array.ForEach(_listeners, static listener => listener.Dispose());
    }

    /// <summary>As many as the options allow and the process has descriptors for.</summary>
    private static int MostConnections(ServingParts parts)
    {
        int most = Descriptors.RoomFor(parts.Limits.MaxConnections);
        if (most < parts.Limits.MaxConnections)
        {
            bool isFarBelow = most < parts.Limits.MaxConnections / 2;
            parts.Logger.ConnectionsLimited(isFarBelow ? LogLevel.Information : LogLevel.Debug, most, parts.Limits.MaxConnections);
        }

        return most;
    }

    /// <returns>Whether it was accepted, and has the slot now.</returns>
    private async Task<bool> AcceptAsync(Listener listener, Descriptors spares)
    {
        try
        {
            if (await listener.AcceptAsync().ConfigureAwait(false) is { } connection)
            {
                _parts.Connections.Enter();
                _ = new ClientConnection(_parts, connection, Doorway, _left).RunAsync(); // never throws
                return true;
            }
        }
        catch (Exception fault)
        {
            // Usually there is no room for one more; whatever else it was, a proxy that stopped accepting would be lost.
            spares.LetGo();
            _parts.Tally.AcceptFailed(fault, BackOff);
        }

        return false;
    }

    private async Task RestAsync()
    {
        try
        {
            await Task.Delay(BackOff, _parts.Clock, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopped: the loop sees it.
        }
    }

    private void OnLeft()
    {
        _slots.Release();
        _parts.Connections.Leave();
    }
}
