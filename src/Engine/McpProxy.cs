using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net;
using McpProxyFast.Credentials;
using McpProxyFast.Outcomes;
using McpProxyFast.Serving;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast;

/// <summary>An HTTP/1.1 reverse proxy in front of one MCP server.</summary>
/// <remarks>
/// It is created from options. Then it either listens itself (<see cref="RunAsync"/>), or a host program passes connections to it (<see cref="ServeAsync"/>),
/// or both in any order; they do not affect each other. All members may be called from any thread.
/// </remarks>
public sealed class McpProxy : IAsyncDisposable
{
    /// <summary>How long <see cref="DisposeAsync"/> waits for connections that it has aborted or closed.</summary>
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(5);

    private readonly McpProxyOptions _options;
    private readonly NetworkStack _network;
    private readonly Heartbeat _heartbeat;
    private readonly IncomingTokens? _incoming;
    private readonly StartedCredentials? _credentials;
    private readonly Entrances _entrances;

    /// <summary>The numbers under which the heartbeat calls this proxy's parts. Several proxies may share a heartbeat.</summary>
    private readonly int[] _heartbeatNumbers;

    private readonly SharedServices _parts;

    /// <summary>Guards what is created once: the accept loop, and the start of the token gate.</summary>
    private readonly Lock _making = new();

    /// <summary>Cancelled by <see cref="Abort"/>; this ends the wait in <see cref="RunAsync"/>.</summary>
    private readonly CancellationTokenSource _aborting = new();

    /// <summary>The listener and the loop that accepts connections; null until <see cref="Bind"/>.</summary>
    private AcceptLoop? _accepting;

    /// <summary>Whether <see cref="RunAsync"/> has been called.</summary>
    private bool _runs;

    /// <summary>Whether the token gate has been started, so that it fetches keys.</summary>
    private bool _gateStarted;

    /// <summary>Whether the proxy has been disposed of. Then nothing new begins.</summary>
    private bool _isDisposed;

    /// <summary>Creates the proxy and validates the options. Nothing is bound or connected yet.</summary>
    /// <exception cref="ArgumentException">An option is wrong; the message says which one, and what would be right.</exception>
    public McpProxy(McpProxyOptions options)
        : this(options, credentials: null)
    {
    }

    /// <summary>For tests: creates a proxy whose credentials use another clock.</summary>
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

    /// <summary>The number of client connections that are open now, from the listener and from the host program together.</summary>
    public int OpenConnections => _parts.Connections.Count;

    /// <summary>The meter of this proxy, for tests: all proxies of a process use the same meter name.</summary>
    internal Meter Meter => _parts.Metrics.Meter;

    /// <summary>Runs what the heartbeat has found due. For tests that move the clock.</summary>
    internal WakeQueue Wakes => _heartbeat.Wakes;

    /// <summary>Binds the listener. <see cref="RunAsync"/> does this too if it has not been done.</summary>
    /// <returns>The address of the listener; if port 0 was given, with the port that the system chose.</returns>
    /// <exception cref="InvalidOperationException">The options name no address to listen on.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or does not belong to this machine.</exception>
    /// <exception cref="ObjectDisposedException">The proxy has been disposed of.</exception>
    public IPEndPoint Bind() => Listening().LocalEndPoint;

    /// <summary>
    /// Sets the address at which clients from outside reach the listener, such as that of a tunnel, which is known only after the listener is bound.
    /// </summary>
    /// <remarks>
    /// Binds the listener if it is not bound yet. From then on, also on open connections, requests may name the host of that address besides those that the
    /// options allow, and challenges, metadata and redirects use the scheme of the address. If <see cref="TokenPolicy.ResourceUrl"/> is not set, the address is
    /// the resource's name (RFC 9728). If the method is called again, the last address counts.
    /// </remarks>
    /// <param name="address">An absolute http or https URL; its path is that of the MCP endpoint.</param>
    /// <param name="otherHosts">Further values of <c>Host</c> that such clients may send. Default none.</param>
    /// <exception cref="ArgumentException">The address is not such a URL, or one of the hosts is not a valid host.</exception>
    /// <exception cref="InvalidOperationException">The options name no address to listen on.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address to listen on is in use, or does not belong to this machine.</exception>
    /// <exception cref="ObjectDisposedException">The proxy has been disposed of.</exception>
    public void Publish(Uri address, IReadOnlyList<string>? otherHosts = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address is not { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0, Host.Length: > 0 })
        {
            throw new ArgumentException("The address must be an absolute http or https URL without a user name, password, query or fragment.", nameof(address));
        }

        AcceptLoop listening = Listening();
        listening.Doorway.Replace(_entrances.OfListener(listening.LocalEndPoint, address, otherHosts ?? []));
    }

    /// <summary>Signs in for the upstream if the proxy sends a credential of its own, and fetches the keys with which incoming tokens are checked.</summary>
    /// <remarks>
    /// <see cref="RunAsync"/> and the first <see cref="ServeAsync"/> do this too if it has not been done. They serve requests meanwhile; each request waits for
    /// the credential itself. The background work that is started runs as long as the proxy exists. If a start has failed, the next call tries again, or after
    /// 5 s the next request that needs the credential; until then such requests are answered with 503 <c>credential-unavailable</c>.
    /// </remarks>
    /// <param name="cancellationToken">Ends the wait for the start, not the start itself.</param>
    /// <returns>A task that ends when there is a credential, or the upstream needs none.</returns>
    /// <exception cref="InvalidOperationException">No credential for the upstream can be obtained; the message says what to do.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        StartGate();
        return _credentials?.StartAsync(cancellationToken) ?? Task.CompletedTask;
    }

    /// <summary>
    /// Accepts and serves connections until told to stop; then lets running exchanges finish, for at most <see cref="ProxyLimits.DrainTimeout"/>.
    /// </summary>
    /// <param name="stopping">Cancelled to stop: no new connections are accepted, and answers get <c>Connection: close</c>.</param>
    /// <returns>A task that ends when the last exchange has ended.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or does not belong to this machine.</exception>
    /// <exception cref="InvalidOperationException">
    /// No credential for the upstream can be obtained; the message says what to do. If a person was asked and did not sign in, the method does not throw: a
    /// later request asks again. Also thrown if the proxy has been run before.
    /// </exception>
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
            // Requests are served meanwhile; those that come before the sign-in has ended wait for it.
            await starting.ConfigureAwait(false);
            await Task.Delay(Timeout.InfiniteTimeSpan, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The proxy is told to stop.
        }
        finally
        {
            listening.Dispose();
            await DrainAsync().ConfigureAwait(false);
            await accepting.ConfigureAwait(false);
        }
    }

    /// <summary>Serves one connection that the host program has accepted, until it ends.</summary>
    /// <remarks>
    /// When the method returns or throws, reader and writer of the connection have been completed; with an exception if an answer to the client was not
    /// complete. Errors of the client or the upstream never make the method throw.
    /// </remarks>
    /// <param name="connection">The connection; it carries HTTP/1.1 without TLS. No other code may use it after this call.</param>
    /// <param name="info">What the host program knows about the connection.</param>
    /// <param name="stopping">Cancelled to stop: the running exchange may finish, no further one is served, and an idle connection ends at once.</param>
    /// <exception cref="ArgumentException">A list in <paramref name="info"/> has an entry that no client could send.</exception>
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

    /// <summary>Ends every connection at once, for example after a second signal to stop.</summary>
    public void Abort()
    {
        _parts.Drain();
        _aborting.Cancel();
        _parts.Connections.ForEach(static client => client.Abort());
    }

    /// <summary>Aborts all connections that are still open and releases all resources.</summary>
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
                IPEndPoint listen = _options.Listen ?? throw new InvalidOperationException(
                    "McpProxyOptions.Listen is not set, so there is no address to listen on.");
                Listener[] listeners = _options.ListensOnBothLoopbacks && listen.Address.Equals(IPAddress.Loopback)
                    ? _network.BindLoopbacks(listen.Port)
                    : [_network.Bind(listen)];
                _accepting = new AcceptLoop(_parts, listeners, _entrances.OfListener(listeners[0].LocalEndPoint));
            }

            return _accepting;
        }
    }

    /// <summary>Takes over a connection of the host program. From then on it will be completed in any case.</summary>
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

    /// <summary>
    /// Waits until reader and writer have been completed. If a host's pipe ignores a cancellation, it is completed when its pending call returns.
    /// </summary>
    private static async Task ClosedAsync(ClientConnection client)
    {
        try
        {
            await client.Client.Closed.WaitAsync(AbortTimeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The host's own pipe has not returned yet; the proxy no longer needs it.
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
