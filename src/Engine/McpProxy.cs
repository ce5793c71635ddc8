using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net;
using McpProxyFast.Credentials;
using McpProxyFast.Outcomes;
using McpProxyFast.Serving;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast;

/// <summary>One HTTP/1.1 hop in front of one MCP server.</summary>
/// <remarks>
/// Made from options, then either run with a listener of its own (<see cref="RunAsync"/>) or handed connections by a host
/// (<see cref="ServeAsync"/>), or both, in any order: neither changes what the other does. All members may be called from any thread.
/// </remarks>
public sealed class McpProxy : IAsyncDisposable
{
    /// <summary>How long is waited for connections that have been aborted or closed.</summary>
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(5);

    private readonly McpProxyOptions _options;
    private readonly NetworkStack _network;
    private readonly Heartbeat _heartbeat;
    private readonly IncomingTokens? _incoming;
    private readonly StartedCredentials? _credentials;
    private readonly Entrances _entrances;

    /// <summary>What the heartbeat, which other proxies may share, calls for this one.</summary>
    private readonly int[] _heartbeatNumbers;

    private readonly SharedServices _parts;

    /// <summary>Guards what is made once: the accept loop, and the start of the token gate.</summary>
    private readonly Lock _making = new();

    /// <summary>Cancelled by <see cref="Abort"/>: ends <see cref="RunAsync"/>'s wait.</summary>
    private readonly CancellationTokenSource _aborting = new();

    /// <summary>The listener and what accepts from it; null until <see cref="Bind"/>.</summary>
    private AcceptLoop? _accepting;

    /// <summary>Whether <see cref="RunAsync"/> has been called.</summary>
    private bool _runs;

    /// <summary>Whether the token gate fetches its keys.</summary>
    private bool _gateStarted;

    /// <summary>Nothing begins any more.</summary>
    private bool _isDisposed;

    /// <summary>Validates the options. Nothing is bound or connected yet.</summary>
    /// <exception cref="ArgumentException">An option is not usable; the message says which, and what would be right.</exception>
    public McpProxy(McpProxyOptions options)
        : this(options, credentials: null)
    {
    }

    /// <summary>For tests: with credentials that live by a clock of their own.</summary>
    internal McpProxy(McpProxyOptions options, UpstreamCredentials? credentials)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        options = options with { Logger = GuardedLogger.Around(options.Logger) };
        _options = options;
        AddedFields? added = AddedFields.Open(options.AddedFields, options.Clock, options.Logger);
        _entrances = new Entrances(options);
        _incoming = options.Incoming is null ? null : IncomingTokens.Open(options.Incoming, options.TrustedCertificates, options.Clock, options.Logger);
        var meter = new Meter(ProxyMetrics.MeterName);
        UpstreamCredentials? source = options.Outgoing is null
            ? credentials
            : UpstreamCredentials.For(options.Outgoing, options.Target, options.Clock, options.Logger, options.TrustedCertificates, options.Observer, meter);
        _credentials = source is null ? null : new StartedCredentials(source, options.Wording, options.Clock, options.Logger);
        _network = new NetworkStack(options.PortableTransport);
        _heartbeat = Heartbeat.Share(options.Clock);
        _parts = ProxyParts.Make(options, _heartbeat, _network, _incoming, _credentials, added, meter);
        _heartbeatNumbers = options.CollectsAfterBursts
            ? [_heartbeat.Add(_parts.Connections), _heartbeat.Add(new BurstCollector(() => _parts.Connections.Count, BurstCollector.Collect))]
            : [_heartbeat.Add(_parts.Connections)];
        added?.Start();
    }

    /// <summary>How many client connections are open now, those of a listener and those of a host together.</summary>
    public int OpenConnections => _parts.Connections.Count;

    /// <summary>This proxy's own counters, for tests: a listener of the process hears those of every proxy in it.</summary>
    internal Meter Meter => _parts.Metrics.Meter;

    /// <summary>Binds the listener. <see cref="RunAsync"/> does it too, if nobody has.</summary>
    /// <returns>The address bound, with the port that the system chose if 0 was asked for.</returns>
    /// <exception cref="InvalidOperationException">The options name no address to listen on.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or not of this machine.</exception>
    /// <exception cref="ObjectDisposedException">The proxy has been disposed of.</exception>
    public IPEndPoint Bind() => Listening().LocalEndPoint;

    /// <summary>Sets the address by which outside clients reach the listener, such as a tunnel's, which is known only once the proxy is bound.</summary>
    /// <remarks>
    /// Binds the listener, if nobody has. From then on, also on connections that are open, requests may name the host of that address besides those that the
    /// options allow, and challenges, metadata and redirects use its scheme. If <see cref="TokenPolicy.ResourceUrl"/> is not set, the address is the resource's
    /// name (RFC 9728). If this is called again, the last address counts.
    /// </remarks>
    /// <param name="address">An absolute http or https URL; its path is that of the MCP endpoint.</param>
    /// <param name="otherHosts">Further values of <c>Host</c> that clients who come that way may send. Default none.</param>
    /// <exception cref="ArgumentException">The address is not such a URL, or one of the hosts is not a valid host.</exception>
    /// <exception cref="InvalidOperationException">The options name no address to listen on.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address to listen on is in use, or not of this machine.</exception>
    /// <exception cref="ObjectDisposedException">The proxy has been disposed of.</exception>
    public void Publish(Uri address, IReadOnlyList<string>? otherHosts = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address is not { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0, Host.Length: > 0 })
        {
            throw new ArgumentException("The address must be an http or https URL without user information, query and fragment.", nameof(address));
        }

        AcceptLoop listening = Listening();
        listening.Doorway.Replace(_entrances.OfListener(listening.LocalEndPoint, address, otherHosts ?? []));
    }

    /// <summary>Signs in at the upstream, if a credential of its own goes out, and fetches the keys that incoming tokens are checked with.</summary>
    /// <remarks>
    /// <see cref="RunAsync"/> and the first <see cref="ServeAsync"/> do it too, if nobody has, and do not hold back requests meanwhile: those wait for the
    /// credential by themselves. What is started lives as long as the proxy. A start that failed is tried again by the next call, or by the next request that
    /// needs the credential, after 5 s; until then such requests are answered with 503 <c>credential-unavailable</c>.
    /// </remarks>
    /// <param name="cancellationToken">Ends the wait, not the start.</param>
    /// <returns>When there is a credential, or none is asked for.</returns>
    /// <exception cref="InvalidOperationException">No credential for the upstream can be had; the message says what to do.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        StartGate();
        return _credentials?.StartAsync(cancellationToken) ?? Task.CompletedTask;
    }

    /// <summary>Accepts and serves until told to stop; then lets running exchanges finish, for at most <see cref="ProxyLimits.DrainTimeout"/>.</summary>
    /// <param name="stopping">Starts the drain: no new connections, <c>Connection: close</c> on answers.</param>
    /// <returns>When drained.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or not of this machine.</exception>
    /// <exception cref="InvalidOperationException">No credential for the upstream can be had; the message says what to do. If a person was asked and did not
    /// sign in, the proxy goes on instead, and asks again with a later request. Or the proxy has been run before.</exception>
    /// <exception cref="ObjectDisposedException">The proxy has been disposed of.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        AcceptLoop listening = Listening();
        lock (_making)
        {
            _runs = !_runs ? true : throw new InvalidOperationException("RunAsync was called before. A proxy runs once; create another one.");
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping, _aborting.Token);
        Task starting = StartAsync(stop.Token);
        Task accepting = listening.RunAsync();
        try
        {
            // Requests are served meanwhile: those that come before the sign-in is over wait for it.
            await starting.ConfigureAwait(false);
            await Task.Delay(Timeout.InfiniteTimeSpan, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            listening.Dispose();
            await DrainAsync().ConfigureAwait(false);
            await accepting.ConfigureAwait(false);
        }
    }

    /// <summary>Serves one connection of the host's own until it ends.</summary>
    /// <remarks>
    /// Whatever happens, both ends of the connection have been completed when this returns or throws; with an exception if the client's answer is not whole.
    /// What the client sends and what the upstream does never throws here.
    /// </remarks>
    /// <param name="connection">The bytes of HTTP/1.1, without TLS. No other code may use it from now on.</param>
    /// <param name="info">What the host knows of the connection.</param>
    /// <param name="stopping">Lets the running exchange finish and takes no other; an idle connection ends at once.</param>
    /// <exception cref="ArgumentException">A list of <paramref name="info"/> has an entry that no client could send.</exception>
    /// <exception cref="ObjectDisposedException">The proxy has been disposed of.</exception>
    public async Task ServeAsync(IDuplexPipe connection, ClientConnectionInfo info, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ClientConnection client = TakeIn(connection, info);
        try
        {
            await using (stopping.UnsafeRegister(static state => ((Interrupts)state!).Drain(), client.Interrupts).ConfigureAwait(false))
            {
                await client.RunAsync().ConfigureAwait(false);
            }

            await ClosedAsync(client).ConfigureAwait(false);
        }
        finally
        {
            _parts.Connections.Leave();
        }
    }

    /// <summary>Ends every connection at once: what a second signal asks for.</summary>
    public void Abort()
    {
        _parts.Drain();
        _aborting.Cancel();
        _parts.Connections.ForEach(static client => client.Abort());
    }

    /// <summary>Aborts whatever still runs and gives everything back.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_making)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        Abort();
        _accepting?.Dispose();
        await _parts.Connections.WhenEmptyAsync(AbortTimeout, _options.Clock).ConfigureAwait(false);
        _parts.Pool.Dispose();
        _parts.Metrics.Dispose();
        Array.ForEach(_heartbeatNumbers, _heartbeat.Remove);
        _heartbeat.Dispose();
        _network.Dispose();
        if (_credentials is not null)
        {
            await _credentials.DisposeAsync().ConfigureAwait(false);
        }

        if (_parts.AddedFields is { } added)
        {
            await added.DisposeAsync().ConfigureAwait(false);
        }

        if (_incoming is not null)
        {
            await _incoming.DisposeAsync().ConfigureAwait(false);
        }
    }

    private AcceptLoop Listening()
    {
        lock (_making)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_accepting is null)
            {
                IPEndPoint listen = _options.Listen ?? throw new InvalidOperationException("The options name no address to listen on.");
                Listener[] listeners = _options.ListensOnBothLoopbacks && listen.Address.Equals(IPAddress.Loopback)
                    ? _network.BindLoopbacks(listen.Port)
                    : [_network.Bind(listen)];
                _accepting = new AcceptLoop(_parts, listeners, _entrances.OfListener(listeners[0].LocalEndPoint));
            }

            return _accepting;
        }
    }

    /// <summary>Takes over a host's connection; from here on it is completed whatever happens.</summary>
    private ClientConnection TakeIn(IDuplexPipe connection, ClientConnectionInfo info)
    {
        try
        {
            ArgumentNullException.ThrowIfNull(info);
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Doorway doorway = _entrances.OfCall(info);
            StartGate();
            _ = _credentials?.Begin();
            Connection pipe = NetworkStack.Over(connection, (info.Remote as IPEndPoint)?.Address);
            _parts.Connections.Enter();
            return new ClientConnection(_parts, pipe, doorway, left: static () => { });
        }
        catch (Exception refused)
        {
            connection.Input.Complete(refused);
            connection.Output.Complete(refused);
            throw;
        }
    }

    private void StartGate()
    {
        if (_incoming is null || Volatile.Read(ref _gateStarted))
        {
            return;
        }

        lock (_making)
        {
            if (!_gateStarted)
            {
                Volatile.Write(ref _gateStarted, true);
                _incoming.Gate.Start();
            }
        }
    }

    /// <summary>Waits until both ends have been completed. A host's pipe that does not heed a cancellation is completed when it comes back.</summary>
    private static async Task ClosedAsync(ClientConnection client)
    {
        try
        {
            await client.Client.Closed.WaitAsync(AbortTimeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The host's own pipe holds it up; the proxy is done with it.
        }
    }

    private async Task DrainAsync()
    {
        _parts.Drain();
        _parts.Pool.Clear();
        _parts.Connections.ForEach(static client => client.Drain());
        await _parts.Connections.WhenEmptyAsync(_options.Limits.DrainTimeout, _options.Clock).ConfigureAwait(false);
        _parts.Connections.ForEach(static client => client.Abort());
        _parts.Pool.Clear();
    }
}
