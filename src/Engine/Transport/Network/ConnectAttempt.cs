using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>Connects to one address, including TLS if the scheme requires it. Ends soon after it is cancelled, and never throws.</summary>
internal sealed class ConnectAttempt
{
    private readonly TimeProvider _clock;

    /// <summary>See <see cref="ProgressAt"/>.</summary>
    private long _progressAt;

    /// <summary>TCP is connected, and TLS is next. Set once.</summary>
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

    /// <summary>
    /// The connection; null if the attempt failed. Valid once <see cref="Ended"/> has completed. The caller that observes that must close it or pass it on.
    /// </summary>
    public Connection? Connection { get; private set; }

    /// <summary>The exception; null if there is none, or after a cancellation. Valid once <see cref="Ended"/> has completed.</summary>
    public Exception? Cause { get; private set; }

    /// <summary>What is wrong with the certificate; null if nothing is. Valid once <see cref="Ended"/> has completed.</summary>
    public CertificateFault? Certificate { get; private set; }

    /// <summary>The stage that the attempt has reached, or failed at.</summary>
    public FaultReason Stage => _isTlsDue ? FaultReason.UpstreamTlsFailed : FaultReason.UpstreamUnreachable;

    /// <summary>The time of its last progress: its start, then TCP connected. In the clock's timestamps.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

    /// <summary>Starts to connect.</summary>
    /// <param name="address">The address to connect to.</param>
    /// <param name="network">Creates the connection.</param>
    /// <param name="tls">TLS to add; null for none.</param>
    /// <param name="affinity">What should serve the connection, if that can be chosen; null for no preference.</param>
    /// <param name="clock">The clock for the timestamps.</param>
    /// <param name="cancel">Cancels the attempt. If it has already succeeded, it keeps its connection.</param>
    public static ConnectAttempt Start(
        IPEndPoint address, NetworkStack network, UpstreamTls? tls, Affinity? affinity, TimeProvider clock, CancellationToken cancel)
    {
        var attempt = new ConnectAttempt(address, clock);
        attempt.Ended = attempt.RunAsync(network, tls, affinity, cancel);
        return attempt;
    }

    /// <summary>Describes an attempt that has no connection, or that nobody waits for any more.</summary>
    public FailedAttempt ToFailed() => Ended.IsCompleted ? new(Address, Stage, Cause, Certificate) : new(Address, Stage, null, null);

    /// <summary>Waits for an attempt that is no longer needed, and closes its connection if it gets one.</summary>
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
            // Any exception: the attempt was cancelled from this side.
        }
        catch (Exception fault)
        {
            // Refused, unreachable, no socket available, no TLS: each counts as a failure of this address.
            Cause = fault;
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
