using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>One address being connected to, TLS included where the scheme asks for it. It ends soon after it is cancelled, and never throws.</summary>
internal sealed class ConnectAttempt
{
    private readonly TimeProvider _clock;

    /// <summary>See <see cref="ProgressAt"/>.</summary>
    private long _progressAt;

    /// <summary>TCP is there, and TLS is due. Set once.</summary>
    private volatile bool _isTlsDue;

    private ConnectAttempt(IPEndPoint address, TimeProvider clock)
    {
        Address = address;
        _clock = clock;
        _progressAt = clock.GetTimestamp();
    }

    public IPEndPoint Address { get; }

    /// <summary>Completes when the attempt is over; never faults. Valid once <see cref="Start"/> has returned.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>The connection; null where it has failed. Valid once <see cref="Ended"/> has completed. Whoever sees that closes it or hands it on.</summary>
    public Connection? Connection { get; private set; }

    /// <summary>What failed; null for nothing, or for a cancellation. Valid once <see cref="Ended"/> has completed.</summary>
    public Exception? Cause { get; private set; }

    /// <summary>What is wrong with the certificate; null for nothing. Valid once <see cref="Ended"/> has completed.</summary>
    public CertificateFault? Certificate { get; private set; }

    /// <summary>The stage that it is at, or has failed at.</summary>
    public FaultReason Stage => _isTlsDue ? FaultReason.UpstreamTlsFailed : FaultReason.UpstreamUnreachable;

    /// <summary>When it was last seen to get on: its start, then TCP. By the clock's timestamps.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

    /// <summary>Begins to connect.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="network">Makes the connection.</param>
    /// <param name="tls">What is to be done over it; null for nothing.</param>
    /// <param name="affinity">What is to serve it, where that can be chosen; null for anything.</param>
    /// <param name="clock">The clock of the timestamps.</param>
    /// <param name="cancel">Ends the attempt. One that has succeeded by then keeps its connection.</param>
    public static ConnectAttempt Start(
        IPEndPoint address, NetworkStack network, UpstreamTls? tls, Affinity? affinity, TimeProvider clock, CancellationToken cancel)
    {
        var attempt = new ConnectAttempt(address, clock);
        attempt.Ended = attempt.RunAsync(network, tls, affinity, cancel);
        return attempt;
    }

    /// <summary>What is to be said of an attempt that has no connection, or that is not waited for any more.</summary>
    public FailedAttempt ToFailed() => Ended.IsCompleted ? new(Address, Stage, Cause, Certificate) : new(Address, Stage, null, null);

    /// <summary>Gives back what comes of an attempt that is not wanted any more, once that is known.</summary>
    public async Task GiveBackAsync()
    {
        await Ended.ConfigureAwait(false);
        Connection?.Close(reset: false);
    }

    private async Task RunAsync(NetworkStack network, UpstreamTls? tls, Affinity? affinity, CancellationToken cancel)
    {
        try
        {
            Connection = tls is null
                ? await network.ConnectAsync(Address, affinity, cancel).ConfigureAwait(false)
                : await SecureAsync(tls, cancel).ConfigureAwait(false);
        }
        catch (CertificateRefusedException refused)
        {
            Cause = refused;
            Certificate = refused.Fault;
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            // Whatever it says: it was ended from this side.
        }
        catch (Exception fault)
        {
            Cause = fault; // refused, unreachable, no room for one more socket, no TLS: each counts as this address's failure
        }
    }

    private async Task<Connection> SecureAsync(UpstreamTls tls, CancellationToken cancel)
    {
        System.Net.Sockets.Socket socket = await NetworkStack.ConnectSocketAsync(Address, cancel).ConfigureAwait(false);
        Volatile.Write(ref _progressAt, _clock.GetTimestamp());
        _isTlsDue = true;
        return await tls.SecureAsync(socket, Address.Address, cancel).ConfigureAwait(false);
    }
}
