using System.IO.Pipelines;
using McpProxyFast.Bridge;

namespace McpProxyFast;

/// <summary>A client that speaks MCP over a pair of pipes, as over stdio, and a server that speaks it over HTTP.</summary>
/// <remarks>
/// JSON-RPC messages pass unchanged, one a line on the client's side, up to 64 MiB each. Sessions, streams and their resumption, reconnects and the fields that
/// HTTP wants are the bridge's. Every request of the client ends once: with the server's answer, or with an error that says why there is none.
/// All members may be called from any thread.
/// </remarks>
public sealed class McpBridge : IAsyncDisposable
{
    /// <summary>How long answers are waited for when the bridge is told to stop.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How long a person has for a sign-in if the policy does not say it.</summary>
    private static readonly TimeSpan DefaultSignInTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Time that is added to the sign-in's own limit, so that the failure can be reported before the request times out.</summary>
    private static readonly TimeSpan SignInMargin = TimeSpan.FromSeconds(15);

    private readonly McpBridgeOptions _options;
    private readonly McpProxy _proxy;
    private readonly ProxyLink _link;

    /// <summary>Ends the connections to the proxy.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Validates the options. Nothing is connected yet.</summary>
    /// <exception cref="ArgumentException">An option is not usable; the message says which, and what would be right.</exception>
    public McpBridge(McpBridgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _proxy = new McpProxy(options.Upstream with
        {
            Listen = null,
            Incoming = null,
            AllowedHosts = [],
            AllowedOrigins = [],
            CorsOrigins = [],
            ForwardedFields = ForwardedFields.Off,
            Limits = options.Upstream.Limits with { MaxRequestBodyBytes = BridgeLimits.MaxMessageBytes },
        });
        _link = new ProxyLink(connection => _proxy.ServeAsync(connection, new ClientConnectionInfo(), _stopping.Token));
    }

    /// <summary>Serves one client until it sends no more, or takes no more, or the bridge is told to stop. Several may be served at once.</summary>
    /// <remarks>
    /// When the client ends, the answers under way are delivered within <see cref="ProxyLimits.DrainTimeout"/>; when the bridge is told to stop, within a
    /// second. Then the server's session is ended and the client's output completed. Neither what the client does nor what the server does throws here.
    /// </remarks>
    /// <param name="near">
    /// The client's bytes. No other code may use it from now on. A flush of its output must not block the thread that calls it, which may serve connections.
    /// </param>
    /// <param name="stopping">Tells the bridge to stop.</param>
    public async Task RunAsync(IDuplexPipe near, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(near);
        _ = _proxy.StartAsync(stopping).ContinueWith(
            static start => _ = start.Exception, // a request that needs the credential says it, and the log has it
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        BridgeSettings settings = Settings();
        using var front = new LineFront(near, new MessageRoom(settings.Clock));
        using var joined = new JoinedFront(front, settings.Logger, settings.Clock, settings.DrainTimeout);
        using var conversation = new Conversation(settings.Protocol is McpBridgeProtocol.Auto ? joined : front, _link, settings);
        try
        {
            await conversation.RunAsync(stopping).ConfigureAwait(false);
        }
        finally
        {
            await PoolThread.Enter(); // what the host does next may block
            await near.Output.CompleteAsync().ConfigureAwait(false);
            near.Input.CancelPendingRead();
        }
    }

    /// <summary>Ends what still runs and gives everything back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _link.Dispose();
        await _proxy.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>The sign-in that goes out, or that is exchanged for what goes out; null if there is none.</summary>
    private OAuthPolicy? SignIn => (_options.Upstream.Outgoing is TokenExchangePolicy exchange ? exchange.Login : _options.Upstream.Outgoing) as OAuthPolicy;

    private BridgeSettings Settings() => new()
    {
        Target = _options.Upstream.Target,
        Transport = _options.Transport,
        Protocol = _options.Protocol,
        ReconnectTimeout = _options.ReconnectTimeout,
        SignInTimeout = SignIn is { } signIn ? (signIn.SignInTimeout ?? DefaultSignInTimeout) + SignInMargin : TimeSpan.Zero,
        DrainTimeout = _options.Upstream.Limits.DrainTimeout,
        StopTimeout = StopTimeout,
        IgnoredTools = _options.IgnoredTools,
        HasCredential = _options.Upstream.Outgoing is not null || _options.Upstream.AddedFields.Count > 0,
        Logger = Outcomes.GuardedLogger.Around(_options.Upstream.Logger),
        Clock = _options.Upstream.Clock,
    };
}
