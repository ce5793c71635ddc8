using System.IO.Pipelines;
using McpProxyFast.Bridge;

namespace McpProxyFast;

/// <summary>Connects a client that speaks MCP over a pair of pipes, as over stdio, with a server that speaks MCP over HTTP.</summary>
/// <remarks>
/// The client sends and gets one JSON-RPC message per line, each at most 64 MiB. The bridge changes a message only if <see cref="McpBridgeOptions.Protocol"/>
/// or <see cref="McpBridgeOptions.IgnoredTools"/> requires it. It handles sessions, event streams and their resumption, reconnects and HTTP headers. Every
/// request of the client gets exactly one response: that of the server, or an error that says why there is none. All members may be called from any thread.
/// </remarks>
public sealed class McpBridge : IAsyncDisposable
{
    /// <summary>How long the bridge waits for responses to the client's open requests when it is told to stop.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How long a person has to sign in if the policy sets no <see cref="OAuthPolicy.SignInTimeout"/>.</summary>
    private static readonly TimeSpan DefaultSignInTimeout = TimeSpan.FromMinutes(5);

    /// <summary>How much longer a request waits than the sign-in, so that the client gets the error of a failed sign-in and not a timeout.</summary>
    private static readonly TimeSpan SignInMargin = TimeSpan.FromSeconds(15);

    private readonly McpBridgeOptions _options;
    private readonly McpProxy _proxy;
    private readonly ProxyLink _link;

    /// <summary>Cancelled by <see cref="DisposeAsync"/>, to end the bridge's connections to its proxy.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Validates the options. Nothing is connected before <see cref="RunAsync"/>.</summary>
    /// <exception cref="ArgumentException">An option is invalid. The message says which one, and what would be right.</exception>
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

    /// <summary>
    /// Serves one client until the client ends its input or stops reading its output, or the bridge is told to stop. May be called for several clients at once.
    /// </summary>
    /// <remarks>
    /// When the client's input ends, the bridge waits for responses to open requests for at most <see cref="ProxyLimits.DrainTimeout"/>; when it is told to
    /// stop, for at most one second. Then it ends the session with the server and completes the client's output. The method does not throw because of anything
    /// that the client or the server does.
    /// </remarks>
    /// <param name="near">
    /// The byte streams from and to the client. No other code may use them after this call. A flush of the output must not block its thread, since that thread
    /// may serve connections.
    /// </param>
    /// <param name="stopping">Cancelled when the bridge is to stop serving this client.</param>
    public async Task RunAsync(IDuplexPipe near, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(near);
        _proxy.Begin();
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
            await PoolThread.Enter(); // the host's code after its await runs on this thread and may block, so this must not be an event loop
            await near.Output.CompleteAsync().ConfigureAwait(false);
            near.Input.CancelPendingRead();
        }
    }

    /// <summary>Closes all connections and disposes of the proxy.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _link.Dispose();
        await _proxy.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>The OAuth policy whose token is sent to the server, directly or after a token exchange; null if there is none.</summary>
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
