using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Chooses the transport to the server: the one in the settings or, if they name none, the first one that works.</summary>
internal sealed class TransportChoice
{
    private readonly UpstreamParts _parts;

    /// <summary>Guards <see cref="_current"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>The transport in use.</summary>
    private UpstreamTransport _current;

    public TransportChoice(UpstreamParts parts)
    {
        _parts = parts;
        _current = parts.Settings.Transport is McpBridgeTransport.Sse ? new SseTransport(parts) : new StreamableTransport(parts);
    }

    /// <summary>The transport in use.</summary>
    public UpstreamTransport Current
    {
        get
        {
            lock (_gate)
            {
                return _current;
            }
        }
    }

    /// <summary>Sends a message over the transport in use. If the server does not speak it, uses the other one, if the settings allow both.</summary>
    public async Task SendAsync(ClientMessage message)
    {
        UpstreamTransport first = Current;
        message.Transport = first;
        if (await first.SendAsync(message).ConfigureAwait(false) is SendingEnd.Over)
        {
            return;
        }

        if (_parts.Settings.Transport is not McpBridgeTransport.Auto)
        {
            await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.NoTransport).ConfigureAwait(false);
            return;
        }

        UpstreamTransport second = Instead(first);
        message.Transport = second;
        if (await second.SendAsync(message).ConfigureAwait(false) is SendingEnd.Over)
        {
            return;
        }

        // The server speaks neither transport. It may be starting, so the next message begins with the first transport again.
        await Restart(second).ConfigureAwait(false);
        await _parts.Delivery.FailAllAsync(message, BridgeFaultReason.NoTransport).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns the transport to use in place of one that the server does not speak. If several messages find this out at the same time, they get the same one.
    /// </summary>
    private UpstreamTransport Instead(UpstreamTransport unsuitable)
    {
        lock (_gate)
        {
            if (_current == unsuitable)
            {
                _parts.Settings.Logger.FallsBackToSse();
                _current = new SseTransport(_parts);
            }

            return _current;
        }
    }

    private async Task Restart(UpstreamTransport unsuitable)
    {
        lock (_gate)
        {
            if (_current == unsuitable)
            {
                _current = new StreamableTransport(_parts);
            }
        }

        await unsuitable.EndAsync().ConfigureAwait(false);
    }
}
