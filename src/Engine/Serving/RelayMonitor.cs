using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Checks on each beat that the bodies of a client connection's exchange move fast enough. Used by the heartbeat only.</summary>
internal struct RelayMonitor
{
    /// <summary>The progress of the request's body while the pump sends it.</summary>
    private RelayProgress _sending;

    /// <summary>The progress of the response's body while it is streamed.</summary>
    private RelayProgress _streaming;

    /// <summary>Checks that a request's body moves: the client must send it, and the upstream must read it, fast enough.</summary>
    /// <param name="interrupts">Gets the decision.</param>
    /// <param name="limits">Which progress is enough.</param>
    /// <param name="relay">The relay of the request's body.</param>
    /// <param name="exchange">The word of the exchange (<see cref="ExchangeWord"/>), read before the relay.</param>
    /// <param name="now">The present time.</param>
    public void CheckPump(Interrupts interrupts, ProxyLimits limits, BodyRelay relay, long exchange, long now)
    {
        RelayPhase phase = _sending.Follow(ExchangeWord.NumberOf(exchange), relay, now);
        if (phase is RelayPhase.Writing)
        {
            if (interrupts.Upstream is { } upstream && _sending.IsStuckWriting(upstream.Transport.Output, now, limits.WriteTimeout))
            {
                interrupts.CutLater(FaultReason.UpstreamResponseTimeout, exchange);
            }

            return;
        }

        if (phase is RelayPhase.Resting)
        {
            return; // the pump has ended, although its exchange goes on
        }

        if (!ExchangeWord.HasContinued(exchange) && relay.MovedBytes == 0)
        {
            _sending.Restart(now); // the client waits for a 100, which is allowed; the upstream's response deadline applies instead
            return;
        }

        long silence = (long)limits.BodyTimeout.TotalMilliseconds;
        bool isSilent = phase is RelayPhase.Reading && now - _sending.Since > silence;
        if (isSilent || _sending.IsBelow(relay, now, silence, limits.MinBodyBytesPerSecond))
        {
            interrupts.RefuseBodyLater(RefusalReason.BodyTooSlow, exchange);
        }
    }

    /// <summary>Checks that the client reads what is streamed to it. Only a write has a deadline: a stream may be silent for any time.</summary>
    /// <param name="interrupts">Gets the decision.</param>
    /// <param name="client">The client's connection.</param>
    /// <param name="writeTimeout">How long the client may take no bytes.</param>
    /// <param name="relay">The relay of the response's body.</param>
    /// <param name="exchange">The word of the exchange (<see cref="ExchangeWord"/>), read before the relay.</param>
    /// <param name="now">The present time.</param>
    public void CheckStream(Interrupts interrupts, Connection client, TimeSpan writeTimeout, BodyRelay relay, long exchange, long now)
    {
        RelayPhase phase = relay.Phase;
        if (phase is RelayPhase.Reading && interrupts.AnsweredBy != long.MaxValue)
        {
            interrupts.ForgetAnswer(); // everything received was forwarded, and the relay waits for more: the upstream has not finished its answer
        }

        if (phase is not RelayPhase.Writing)
        {
            return;
        }

        interrupts.NoteAnswer(now);
        if (_streaming.Follow(ExchangeWord.NumberOf(exchange), relay, now) is RelayPhase.Writing
            && _streaming.IsStuckWriting(client.Output, now, writeTimeout))
        {
            interrupts.CutLater(FaultReason.ClientTooSlow, exchange);
        }
    }
}
