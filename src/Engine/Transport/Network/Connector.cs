using System.Net;
using System.Net.Security;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>Creates connections to one authority: resolves its name, tries the addresses, adds TLS if the scheme requires it.</summary>
internal sealed class Connector
{
    private readonly string _host;
    private readonly int _port;
    private readonly TimeSpan _timeout;
    private readonly NetworkStack _network;
    private readonly TimeProvider _clock;
    private readonly Resolver _resolver;

    /// <summary>Makes TLS connections; null for plain TCP.</summary>
    private readonly UpstreamTls? _tls;

    /// <param name="target">The upstream; only scheme, host and port are used.</param>
    /// <param name="timeout">The limit for one connection as a whole: look-up, all addresses, TLS.</param>
    /// <param name="network">Creates the connections.</param>
    /// <param name="checkCertificate">Decides whether the upstream's certificate is accepted; null to leave that to the system.</param>
    /// <param name="lookUp">Finds the addresses of a name.</param>
    /// <param name="clock">Measures every wait.</param>
    public Connector(
        Uri target,
        TimeSpan timeout,
        NetworkStack network,
        RemoteCertificateValidationCallback? checkCertificate,
        Func<string, CancellationToken, Task<IPAddress[]>> lookUp,
        TimeProvider clock)
    {
        _host = target.IdnHost.Trim('[', ']');
        _port = target.Port;
        _timeout = timeout;
        _network = network;
        _clock = clock;
        _resolver = new Resolver(_host, lookUp, clock);
        _tls = target.Scheme == Uri.UriSchemeHttps ? new UpstreamTls(target.IdnHost, checkCertificate) : null;
    }

    /// <summary>Creates one connection. Failures are in the result.</summary>
    /// <param name="affinity">The event loop that should serve the connection, if a loop can be chosen; null for no preference.</param>
    /// <param name="cancel">Cancelled if the client disconnects or the proxy stops.</param>
    public async ValueTask<ConnectResult> ConnectAsync(Affinity? affinity, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(_timeout, _clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        NameAnswer answer;
        try
        {
            answer = await _resolver.ResolveAsync(ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return Fail(cancel.IsCancellationRequested ? FaultReason.ClientGone : FaultReason.UpstreamNameTimeout, null, []);
        }

        if (!answer.IsGood)
        {
            return Fail(FaultReason.UpstreamNameUnresolved, answer.Fault, []);
        }

        var race = new ConnectRace(
            (address, losing) => ConnectAttempt.Start(new IPEndPoint(address, _port), _network, _tls, affinity, _clock, losing),
            answer.IsFromBefore ? _resolver.ResolveAnewAsync : null,
            _clock);
        if (await race.RunAsync(answer.Addresses, ending.Token).ConfigureAwait(false) is { } winner)
        {
            _resolver.Worked(winner.Address.Address);
            return new ConnectResult(winner.Connection, FaultReason.None);
        }

        FaultReason reason = cancel.IsCancellationRequested ? FaultReason.ClientGone
            : ending.IsCancellationRequested ? FaultReason.UpstreamConnectTimeout
            : HasReachedAny(race.Attempts) ? FaultReason.UpstreamTlsFailed
            : FaultReason.UpstreamUnreachable;
        return Fail(reason, null, race.Attempts);
    }

    /// <summary>
    /// Whether TCP was connected for at least one address, so that only TLS failed there. This is then reported, because it says more than that other addresses
    /// were unreachable.
    /// </summary>
    private static bool HasReachedAny(IReadOnlyList<ConnectAttempt> attempts)
    {
        foreach (ConnectAttempt attempt in attempts)
        {
            if (attempt.Stage is FaultReason.UpstreamTlsFailed)
            {
                return true;
            }
        }

        return false;
    }

    private ConnectResult Fail(FaultReason reason, Exception? lookUp, IReadOnlyList<ConnectAttempt> attempts)
    {
        var failed = new List<FailedAttempt>(attempts.Count);
        foreach (ConnectAttempt attempt in attempts)
        {
            failed.Add(attempt.ToFailed());
        }

        return new ConnectResult(null, reason, new ConnectFailure(_host, lookUp, failed));
    }
}
