using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>
/// Connects to one address, including TLS if the scheme requires it. Ends soon after it is cancelled. Never throws; the result is in the properties.
/// </summary>
internal sealed class ConnectAttempt
{
    private readonly TimeProvider _clock;

    /// <summary>See <see cref="ProgressAt"/>.</summary>
    private long _progressAt;

    /// <summary>TCP is connected, and the TLS handshake has begun. Set once. Stays false without TLS.</summary>
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
    /// The connection; null if the attempt failed. Valid once <see cref="Ended"/> has completed. It belongs to the code that started the attempt, which must
    /// close it or pass it on.
    /// </summary>
    public Connection? Connection { get; private set; }

    /// <summary>Why the attempt failed; null if it did not, or after a cancellation. Valid once <see cref="Ended"/> has completed.</summary>
    public Exception? Cause { get; private set; }

    /// <summary>
    /// What is wrong with the upstream's certificate; null if nothing is, or no certificate was checked. Valid once <see cref="Ended"/> has completed.
    /// </summary>
    public CertificateFault? Certificate { get; private set; }

    /// <summary>The stage that the attempt has reached, named by the fault that a failure there causes.</summary>
    public FaultReason Stage => _isTlsDue ? FaultReason.UpstreamTlsFailed : FaultReason.UpstreamUnreachable;

    /// <summary>When the attempt last made progress: when it started, then when TCP was connected. In the clock's timestamps.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

    /// <summary>Starts to connect.</summary>
    /// <param name="address">The address to connect to.</param>
    /// <param name="network">Creates the connection.</param>
    /// <param name="tls">Adds TLS; null for plain TCP.</param>
    /// <param name="affinity">The event loop that should serve the connection, if a loop can be chosen; null for no preference.</param>
    /// <param name="clock">The clock for the timestamps.</param>
    /// <param name="cancel">Cancels the attempt. An attempt that has already succeeded keeps its connection.</param>
    public static ConnectAttempt Start(
        IPEndPoint address, NetworkStack network, UpstreamTls? tls, Affinity? affinity, TimeProvider clock, CancellationToken cancel)
    {
        var attempt = new ConnectAttempt(address, clock);
        attempt.Ended = attempt.RunAsync(network, tls, affinity, cancel);
        return attempt;
    }

    /// <summary>Describes, for the log, an attempt that has failed or is still running. A running one has no cause yet.</summary>
    public FailedAttempt ToFailed() => Ended.IsCompleted ? new(Address, Stage, Cause, Certificate) : new(Address, Stage, null, null);

    /// <summary>Waits for the end of an attempt that is no longer needed, and closes its connection if it has one.</summary>
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
            // The attempt was cancelled. Whatever it threw has that reason, so it is not recorded as a cause.
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
