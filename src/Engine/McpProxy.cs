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
/// The proxy accepts connections on its own listener (<see cref="RunAsync"/>), or a host program passes connections to it (<see cref="ServeAsync"/>). Both may
/// be used at the same time; they do not affect each other. All members may be called from any thread.
/// </remarks>
public sealed class McpProxy : IAsyncDisposable
{
    /// <summary>
    /// How long <see cref="DisposeAsync"/> waits until aborted connections have ended, and <see cref="ServeAsync"/> until a pipe has been completed. Then they
    /// continue without waiting.
    /// </summary>
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(5);

    private readonly McpProxyOptions _options;
    private readonly NetworkStack _network;
    private readonly Heartbeat _heartbeat;
    private readonly IncomingTokens? _incoming;
    private readonly StartedCredentials? _credentials;
    private readonly Entrances _entrances;

    /// <summary>The ids under which parts of this proxy are registered with the heartbeat, a timer that several proxies may share.</summary>
    private readonly int[] _heartbeatNumbers;

    private readonly SharedServices _parts;

    /// <summary>Guards the fields <c>_accepting</c>, <c>_runs</c> and <c>_isDisposed</c> when they change.</summary>
    private readonly Lock _making = new();

    /// <summary>Cancelled by <see cref="Abort"/>; this ends the wait in <see cref="RunAsync"/>.</summary>
    private readonly CancellationTokenSource _aborting = new();

    /// <summary>The listener and the loop that accepts connections; null until <see cref="Bind"/>.</summary>
    private AcceptLoop? _accepting;

    /// <summary>Whether <see cref="RunAsync"/> has been called.</summary>
    private bool _runs;

    /// <summary>Whether the proxy has been disposed of. Then it accepts no more connections.</summary>
    private bool _isDisposed;

    /// <summary>Creates the proxy and validates the options. Nothing is bound or connected yet.</summary>
    /// <exception cref="ArgumentException">An option is wrong; the message says which one, and what would be right.</exception>
    public McpProxy(McpProxyOptions options)
        : this(options, credentials: null)
    {
    }

    /// <summary>For tests: creates a proxy with these credentials if the options have no <see cref="McpProxyOptions.Outgoing"/>.</summary>
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

    /// <summary>The meter of this proxy. Tests need it, since all proxies of a process have meters with the same name.</summary>
    internal Meter Meter => _parts.Metrics.Meter;

    /// <summary>Runs the actions that the heartbeat has found to be due. For tests that set the clock by hand.</summary>
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
    /// Binds the listener if it is not bound yet. After this call, <c>Host</c> may also be the host of the address, and challenges, metadata and redirects use
    /// the scheme of the address. This applies to open connections too. If <see cref="TokenPolicy.ResourceUrl"/> is not set, the address is also the resource
    /// identifier (RFC 9728). If the method is called again, the new address replaces the earlier one.
    /// </remarks>
    /// <param name="address">
    /// An absolute http or https URL without user information, query and fragment. Its path is the path of the MCP endpoint.
    /// </param>
    /// <param name="otherHosts">Further values of <c>Host</c> that clients from outside may send. Default none.</param>
    /// <exception cref="ArgumentException">The address is not such a URL, or one of <paramref name="otherHosts"/> is not <c>host[:port]</c>.</exception>
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

    /// <summary>
    /// Obtains the proxy's own credential for the upstream, if <see cref="McpProxyOptions.Outgoing"/> is set, and begins to fetch the keys with which incoming
    /// tokens are checked.
    /// </summary>
    /// <remarks>
    /// <see cref="RunAsync"/> and the first <see cref="ServeAsync"/> do this too if it has not been done. They accept requests before it has ended; a request
    /// waits until there is a credential. Tokens and keys are renewed in the background until the proxy is disposed of. If no credential can be obtained, the
    /// first call or request after 5 s tries again. Before that, calls throw the same exception, and requests are answered with 503
    /// <c>credential-unavailable</c>.
    /// </remarks>
    /// <param name="cancellationToken">Ends this wait, but not the work that it waits for.</param>
    /// <returns>A task that ends when there is a credential, or the upstream needs none.</returns>
    /// <exception cref="InvalidOperationException">No credential for the upstream can be obtained; the message says what to do.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        _incoming?.Gate.Start();
        return _credentials?.StartAsync(cancellationToken) ?? Task.CompletedTask;
    }

    /// <summary>
    /// Accepts and serves connections until told to stop. Then running exchanges may take <see cref="ProxyLimits.DrainTimeout"/> to finish, and after that they
    /// are aborted.
    /// </summary>
    /// <param name="stopping">Cancelled to stop: no new connections are accepted, and responses get <c>Connection: close</c>.</param>
    /// <returns>A task that ends when the last exchange has ended.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or does not belong to this machine.</exception>
    /// <exception cref="InvalidOperationException">
    /// No credential for the upstream can be obtained; the message says what to do. It is not thrown if a person was asked to sign in and did not: then a later
    /// request asks again. The exception is also thrown if the method was called before.
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
            // The accept loop serves requests already. Requests that need the credential wait until the start has ended.
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
    /// When the method returns or throws, the reader and the writer of the connection have been completed; with an exception if a response to the client was
    /// not complete. If a pending call of the host's pipe ignores its cancellation for 5 s, the method returns, and the pipe is completed when the call
    /// returns. The method does not throw because of an error of the client or the upstream.
    /// </remarks>
    /// <param name="connection">The connection, with HTTP/1.1 in plain text: the host program ends TLS. No other code may use it after this call.</param>
    /// <param name="info">What the host program knows about the connection.</param>
    /// <param name="stopping">Cancelled to end the connection: after the running exchange, or at once if no exchange is running.</param>
    /// <exception cref="ArgumentException">A list in <paramref name="info"/> has an entry that is not a valid host or origin.</exception>
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

    /// <summary>
    /// Ends every connection at once, and <see cref="RunAsync"/> with them. For example, a program calls it when it gets a second signal to stop.
    /// </summary>
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

    /// <summary>Takes over a connection of the host program. The proxy then always completes it, also if this method throws.</summary>
    private ClientConnection TakeIn(IDuplexPipe connection, ClientConnectionInfo info)
    {
        try
        {
            ArgumentNullException.ThrowIfNull(info);
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Doorway doorway = _entrances.OfCall(info);
            Begin();
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

    /// <summary>Starts as <see cref="StartAsync"/> does, but does not wait. A failure is logged, and requests that need the credential get an error.</summary>
    internal void Begin()
    {
        _incoming?.Gate.Start();
        _ = _credentials?.Begin();
    }

    /// <summary>
    /// Waits until the reader and the writer of a connection have been completed, for at most <see cref="AbortTimeout"/>. A pending call of the host's pipe may
    /// ignore its cancellation; the pipe is then completed when that call returns.
    /// </summary>
    private static async Task ClosedAsync(ClientConnection client)
    {
        try
        {
            await client.Client.Closed.WaitAsync(AbortTimeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A call of the host's own pipe has not returned yet. The proxy no longer needs the pipe, so it does not wait longer.
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
