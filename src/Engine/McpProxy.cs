using System.IO.Pipelines;
using System.Net;
using McpProxyFast.Admission;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Rewriting;
using McpProxyFast.Serving;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;
using McpProxyFast.Upstream;
using Microsoft.Extensions.Logging;

namespace McpProxyFast;

/// <summary>One HTTP/1.1 hop in front of one MCP server.</summary>
/// <remarks>
/// Made from options, then either run with a listener of its own (<see cref="RunAsync"/>) or handed connections by a host
/// (<see cref="ServeAsync"/>), or both. All members may be called from any thread.
/// </remarks>
public sealed class McpProxy : IAsyncDisposable
{
    /// <summary>How long the accept loop rests when the system has no room for one more connection (EMFILE, ENFILE).</summary>
    private static readonly TimeSpan AcceptBackOff = TimeSpan.FromMilliseconds(200);

    /// <summary>That there is no room is said this often, however often it is met.</summary>
    private static readonly TimeSpan AcceptWarningInterval = TimeSpan.FromMinutes(1);

    /// <summary>How long a host's pipe may take to end what is out over it, once it has been cancelled.</summary>
    private static readonly TimeSpan MostToGiveBack = TimeSpan.FromSeconds(5);

    private readonly McpProxyOptions _options;
    private readonly NetworkStack _network;
    private readonly Heartbeat _heartbeat;
    private readonly ClientSet _clients = new();
    private readonly int[] _heartbeatNumbers;
    private readonly Tally _tally;
    private readonly UpstreamPool _pool;
    private readonly Lock _binding = new();
    private readonly IncomingTokens? _incoming;
    private readonly CredentialSource? _credentials;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _aborting = new();
    private Listener? _listener;
    private SemaphoreSlim? _connectionSlots;
    private ServingParts? _parts;
    private int _open;
    private int _disposed;

    /// <summary>Validates the options. Nothing is bound or connected yet.</summary>
    /// <exception cref="ArgumentException">An option is not usable; the message says which, and what would be right.</exception>
    public McpProxy(McpProxyOptions options)
        : this(options, credentials: null)
    {
    }

    /// <summary>For tests: with credentials that live by a clock of their own.</summary>
    internal McpProxy(McpProxyOptions options, CredentialSource? credentials)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();

        // Read here for their errors only: the names that a listener derives are known once it is bound.
        _ = new OriginRule(options.Listen, options.AllowedOrigins, options.AllowedHosts, options.CorsOrigins);
        _options = options;
        _incoming = options.Incoming is null ? null : IncomingTokens.Open(options.Incoming, options.TrustedCertificates, options.Clock, options.Logger);
        _credentials = options.Outgoing is null
            ? credentials
            : CredentialSource.For(options.Outgoing, options.Target, options.Clock, options.Logger, options.TrustedCertificates);
        _network = new NetworkStack(options.PortableTransport);
        _heartbeat = Heartbeat.Share(options.Clock);
        ProxyLimits limits = options.Limits;
        _tally = new Tally(options.Logger, () => Volatile.Read(ref _open));
        _pool = new UpstreamPool(ChooseConnect(), limits.MaxIdleUpstreamConnections, limits.UpstreamIdleTimeout, limits.UpstreamMaxAge, _heartbeat, _tally);
        _heartbeatNumbers = options.CollectsAfterBursts
            ? [_heartbeat.Add(_clients), _heartbeat.Add(new BurstCollector(() => Volatile.Read(ref _open), BurstCollector.Collect))]
            : [_heartbeat.Add(_clients)];
    }

    /// <summary>This proxy's own counters, for tests: a listener of the process hears those of every proxy in it.</summary>
    internal System.Diagnostics.Metrics.Meter Meter => _tally.Meter;

    /// <summary>Binds the listener. <see cref="RunAsync"/> does it too, if nobody has.</summary>
    /// <returns>The address bound, with the port that the system chose where 0 was asked for.</returns>
    /// <exception cref="InvalidOperationException">The options name no address to listen on.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or not of this machine.</exception>
    public IPEndPoint Bind()
    {
        lock (_binding)
        {
            IPEndPoint listen = _options.Listen ?? throw new InvalidOperationException("The options name no address to listen on.");
            _listener ??= _network.Bind(listen);
            _parts ??= MakeParts(_listener.LocalEndPoint);
            _connectionSlots ??= new SemaphoreSlim(MostConnections());
            return _listener.LocalEndPoint;
        }
    }

    /// <summary>Accepts and serves until told to stop; then lets running exchanges finish, for at most <see cref="ProxyLimits.DrainTimeout"/>.</summary>
    /// <param name="stopping">Starts the drain: no new connections, <c>Connection: close</c> on answers.</param>
    /// <returns>When drained.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or not of this machine.</exception>
    /// <exception cref="InvalidOperationException">No credential for the upstream can be had; the message says what to do.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        Bind();
        Listener listener = _listener!;
        Task accepting = AcceptAsync(listener);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping, _aborting.Token);
        Task signingIn = _credentials is null ? Task.CompletedTask : _credentials.StartAsync(stop.Token);
        try
        {
            // Requests are served meanwhile: those that come before the sign-in is over wait for it.
            await signingIn.ConfigureAwait(false);
            await Task.Delay(Timeout.InfiniteTimeSpan, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            listener.Dispose();
            await DrainAsync().ConfigureAwait(false);
            await accepting.ConfigureAwait(false);
        }
    }

    /// <summary>Serves one connection of the host's own until it ends.</summary>
    /// <param name="connection">The bytes; both ends are completed when this returns.</param>
    /// <param name="remote">The client's address, for <c>X-Forwarded-For</c>; null for none.</param>
    /// <param name="stopping">Lets the running exchange finish and takes no other.</param>
    public async Task ServeAsync(IDuplexPipe connection, EndPoint? remote, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ServingParts parts = await PartsAsync(stopping).ConfigureAwait(false);
        Connection transport = NetworkStack.Over(connection, (remote as IPEndPoint)?.Address);
        var client = new ClientConnection(parts, transport, OnLeft);
        Interlocked.Increment(ref _open);
        await using (stopping.UnsafeRegister(static state => ((ClientConnection)state!).Drain(), client).ConfigureAwait(false))
        {
            await client.RunAsync().ConfigureAwait(false);
        }

        try
        {
            await transport.Closed.WaitAsync(MostToGiveBack, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The host's pipe does not heed a cancellation. Its ends are completed when it comes back.
        }
    }

    /// <summary>Ends every connection at once: what a second signal asks for.</summary>
    public void Abort()
    {
        _parts?.Drain();
        _aborting.Cancel();
        _clients.ForEach(static client => client.Abort());
    }

    /// <summary>Aborts whatever still runs and gives everything back.</summary>
    public async ValueTask DisposeAsync()
    {
        Abort();
        _listener?.Dispose();
        await WhenEmptyAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _pool.Dispose();
            _tally.Dispose();
            Array.ForEach(_heartbeatNumbers, _heartbeat.Remove);
            _heartbeat.Dispose();
            _network.Dispose();
        }

        if (_credentials is not null)
        {
            await _credentials.DisposeAsync().ConfigureAwait(false);
        }

        if (_incoming is not null)
        {
            await _incoming.DisposeAsync().ConfigureAwait(false);
        }
    }

    private int MostConnections()
    {
        int most = Descriptors.RoomFor(_options.Limits.MaxConnections);
        if (most < _options.Limits.MaxConnections)
        {
            bool isFarBelow = most < _options.Limits.MaxConnections / 2;
            _options.Logger.Log(
                isFarBelow ? LogLevel.Information : LogLevel.Debug,
                "The process may open so few descriptors that there is room for {Most} of {Wanted} client connections at once; more wait to be accepted (ulimit -n).",
                most,
                _options.Limits.MaxConnections);
        }

        return most;
    }

    private async Task AcceptAsync(Listener listener)
    {
        Action onLeft = OnAcceptedLeft;
        using var spares = new Descriptors();
        long? warnedAt = null;
        while (!_parts!.IsDraining)
        {
            if (!spares.TryHold())
            {
                await Task.Delay(AcceptBackOff, _options.Clock).ConfigureAwait(false);
                continue;
            }

            await _connectionSlots!.WaitAsync().ConfigureAwait(false);
            Connection? connection = null;
            try
            {
                connection = await listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception fault)
            {
                spares.LetGo();
                _tally.AcceptFailed();
                if (warnedAt is null || _options.Clock.GetElapsedTime(warnedAt.Value) >= AcceptWarningInterval)
                {
                    warnedAt = _options.Clock.GetTimestamp();
                    _options.Logger.LogWarning(
                        "{Message} Clients wait until there is room; tried again every {BackOff} ms, said at most once a minute.", fault.Message, AcceptBackOff.TotalMilliseconds);
                }

                _connectionSlots.Release();
                await Task.Delay(AcceptBackOff, _options.Clock).ConfigureAwait(false);
                continue;
            }

            if (connection is null)
            {
                return;
            }

            Interlocked.Increment(ref _open);
            _ = new ClientConnection(_parts, connection, onLeft).RunAsync(); // never throws
        }
    }

    /// <summary>A connection that came from the listener is over.</summary>
    private void OnAcceptedLeft()
    {
        _connectionSlots!.Release();
        OnLeft();
    }

    private void OnLeft()
    {
        if (Interlocked.Decrement(ref _open) == 0 && _parts!.IsDraining)
        {
            _drained.TrySetResult();
        }
    }

    private async Task DrainAsync()
    {
        _parts!.Drain();
        _pool.Clear();
        _clients.ForEach(static client => client.Drain());
        await WhenEmptyAsync(_options.Limits.DrainTimeout).ConfigureAwait(false);
        _clients.ForEach(static client => client.Abort());
        _pool.Clear();
    }

    /// <summary>Waits until no connection is open, or the time is over, or everything has been aborted and has ended.</summary>
    private async Task WhenEmptyAsync(TimeSpan limit)
    {
        if (Volatile.Read(ref _open) == 0)
        {
            return;
        }

        await Task.WhenAny(_drained.Task, Task.Delay(limit, _options.Clock)).ConfigureAwait(false);
    }

    /// <summary>For a host without a listener: the first connection starts what a listener would have started.</summary>
    private async ValueTask<ServingParts> PartsAsync(CancellationToken stopping)
    {
        lock (_binding)
        {
            if (_parts is not null)
            {
                return _parts;
            }

            _parts = MakeParts(null);
        }

        if (_credentials is not null)
        {
            await _credentials.StartAsync(stopping).ConfigureAwait(false);
        }

        return _parts;
    }

    private ServingParts MakeParts(IPEndPoint? bound)
    {
        ProxyLimits limits = _options.Limits;
        _incoming?.Gate.Start();
        return new ServingParts
        {
            Limits = limits,
            Heartbeat = _heartbeat,
            Clients = _clients,
            Pool = _pool,
            RequestRewriter = new RequestRewriter(_options.Target, ForwardedRuleOf(_options), ServingParts.OwnScheme),
            ResponseRewriter = new ResponseRewriter(_options.Target, ServingParts.OwnScheme, hidesChallenges: _credentials is not null, _options.CorsOrigins.Count > 0),
            Origins = new OriginRule(bound, _options.AllowedOrigins, _options.AllowedHosts, _options.CorsOrigins),
            Cors = new CorsRule(_options.CorsOrigins),
            Tokens = _incoming is null ? null : new TokenParts(_incoming.Gate, _incoming.Challenge, _incoming.Document, _options.Incoming!.PassAuthorization),
            Credentials = _credentials,
            Target = _options.Target,
            Clock = _options.Clock,
            Logger = _options.Logger,
            Observer = _options.Observer,
            Tally = _tally,
            RequestHeadLimits = new HeadLimits(limits.MaxHeadBytes, limits.MaxRequestLineBytes, limits.MaxFields),
            ResponseHeadLimits = new HeadLimits(limits.MaxHeadBytes, limits.MaxHeadBytes, limits.MaxFields),
        };
    }

    private Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> ChooseConnect()
    {
        if (_options.ConnectUpstream is not { } connect)
        {
            var connector = new Connector(_options.Target, _options.Limits.ConnectTimeout, _network, _options.TrustedCertificates, _options.LookUp);
            return connector.ConnectAsync;
        }

        return async (_, cancel) =>
        {
            try
            {
                IDuplexPipe pipe = await connect(cancel).ConfigureAwait(false);
                return new ConnectResult(NetworkStack.Over(pipe, null), FaultReason.None);
            }
            catch (IOException)
            {
                return new ConnectResult(null, FaultReason.UpstreamUnreachable);
            }
            catch (OperationCanceledException)
            {
                return new ConnectResult(null, FaultReason.ClientGone);
            }
        };
    }

    private static ForwardedRule ForwardedRuleOf(McpProxyOptions options) => options.ForwardedFields switch
    {
        ForwardedFields.Append => ForwardedRule.Append,
        ForwardedFields.Off => ForwardedRule.Off,
        ForwardedFields.Automatic when options.Target.Scheme == Uri.UriSchemeHttps => ForwardedRule.Off,
        _ => ForwardedRule.Set,
    };
}
