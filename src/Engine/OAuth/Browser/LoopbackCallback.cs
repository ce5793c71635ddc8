using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>
/// Receives the redirect that ends a sign-in in the browser, on a loopback port (RFC 8252 §7.3). A request without the right <c>state</c> gets an error page
/// and is ignored.
/// </summary>
internal sealed class LoopbackCallback : IDisposable
{
    public const string Path = "/callback";

    private const int MaxHeadBytes = 16 * 1024;
    private const int MaxConnections = 64;
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The pause after a connection could not be accepted, usually because the process has no file descriptor left (EMFILE, ENFILE).</summary>
    internal static readonly TimeSpan BackOff = TimeSpan.FromMilliseconds(200);

    /// <summary>A listener for each address family (IPv4, IPv6), on the same port; valid until disposed of.</summary>
    private readonly List<TcpListener> _listeners;

    /// <summary>Measures how long a connection may take.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs requests that are ignored.</summary>
    private readonly ILogger _logger;

    /// <summary>
    /// One cancellation source for each open connection, the oldest first; cancelling it ends the connection. The list is also the lock that guards it.
    /// </summary>
    private readonly LinkedList<CancellationTokenSource> _open = new();

    /// <summary>Accepts the next connection of a listener. Never changes.</summary>
    private readonly Func<TcpListener, CancellationToken, ValueTask<TcpClient>> _accept;

    /// <summary>
    /// Whether it has been logged that a connection could not be accepted. Both listeners use it without a lock, so the line may be logged twice.
    /// </summary>
    private volatile bool _hasToldOfFailure;

    /// <summary>Completed with the redirect's parameters when the browser has sent them.</summary>
    private readonly TaskCompletionSource<CallbackQuery> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LoopbackCallback(
        List<TcpListener> listeners, TimeProvider clock, ILogger logger, Func<TcpListener, CancellationToken, ValueTask<TcpClient>>? accept)
    {
        _accept = accept ?? (static (listener, stop) => listener.AcceptTcpClientAsync(stop));
        _listeners = listeners;
        _clock = clock;
        _logger = logger;
        RedirectUri = $"http://localhost:{((IPEndPoint)listeners[0].LocalEndpoint).Port}{Path}";
    }

    public string RedirectUri { get; }

    /// <param name="port">The port; 0 for any free port.</param>
    /// <param name="mayMove">If the port is in use: whether any other free port may be used instead.</param>
    /// <param name="clock">Measures how long a connection may take.</param>
    /// <param name="logger">Logs requests that are ignored.</param>
    /// <param name="accept">Accepts the next connection of a listener; null to use the system's method.</param>
    /// <exception cref="OAuthException">The port is in use, and no other one may be used.</exception>
    public static LoopbackCallback Open(
        int port, bool mayMove, TimeProvider clock, ILogger logger, Func<TcpListener, CancellationToken, ValueTask<TcpClient>>? accept = null)
    {
        if (TryListen(port) is { } listeners)
        {
            return new LoopbackCallback(listeners, clock, logger, accept);
        }

        if (!mayMove)
        {
            throw OAuthException.Refused(
                "callback-port-taken",
                $"The callback port {port} is in use by another program. No other port can be used instead, because the redirect URI of a client "
                + "with a given id is fixed. Free the port, or set AuthorizationCode.CallbackPort to another port that is registered for the client.");
        }

        logger.CallbackPortTaken(port);
        List<TcpListener> free = TryListen(0) ?? throw OAuthException.Refused("callback-port-taken", "No loopback port is free for the sign-in callback.");
        return new LoopbackCallback(free, clock, logger, accept);
    }

    /// <summary>Waits for the redirect whose state is <paramref name="state"/>.</summary>
    public async Task<CallbackQuery> WaitAsync(string state, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] accepting = [.. _listeners.Select(listener => AcceptAsync(listener, state, stop.Token))];
        try
        {
            return await _answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(accepting).ConfigureAwait(false);
        }
    }

    public void Dispose() => _listeners.ForEach(listener => listener.Dispose());

    // The port is taken on IPv4 and IPv6, since `localhost` may mean either. Another program that listened on the other address could read the authorization
    // code.
    private static List<TcpListener>? TryListen(int port)
    {
        var listeners = new List<TcpListener>();
        try
        {
            Listen(IPAddress.Loopback, port);
            if (Socket.OSSupportsIPv6)
            {
                Listen(IPAddress.IPv6Loopback, ((IPEndPoint)listeners[0].LocalEndpoint).Port);
            }

            return listeners;
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.AddressNotAvailable && listeners.Count > 0)
        {
            // This system supports IPv6 but has no IPv6 loopback address, so the IPv4 listener is enough.
            return listeners;
        }
        catch (SocketException)
        {
            listeners.ForEach(listener => listener.Dispose());
            return null;
        }

        void Listen(IPAddress address, int at)
        {
            var listener = new TcpListener(address, at) { ExclusiveAddressUse = true };
            listener.Start(MaxConnections);
            listeners.Add(listener);
        }
    }

    private async Task AcceptAsync(TcpListener listener, string state, CancellationToken stop)
    {
        var answering = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                TcpClient client = await _accept(listener, stop).ConfigureAwait(false);
                answering.RemoveAll(task => task.IsCompleted);
                answering.Add(AnswerAsync(client, state));
            }
            catch (OperationCanceledException)
            {
                // The wait for the redirect is over, so the loop ends. Pages that are being written are still completed below.
            }
            catch (SocketException failure)
            {
                // The system has no descriptor left, or the client left before it was accepted. Without a pause the next attempt could fail at once, again and
                // again.
                await RestAsync(failure, stop).ConfigureAwait(false);
            }
        }

        await Task.WhenAll(answering).ConfigureAwait(false);
    }

    private async Task RestAsync(SocketException failure, CancellationToken stop)
    {
        if (!_hasToldOfFailure)
        {
            _hasToldOfFailure = true;
            _logger.CallbackNotAccepted(failure.Message, BackOff.TotalMilliseconds);
        }

        await Task.Delay(BackOff, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AnswerAsync(TcpClient client, string state)
    {
        using (client)
        {
            using var end = new CancellationTokenSource(HeadTimeout, _clock);
            Enter(end);
            try
            {
                await AnswerAsync(client.GetStream(), state, end.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is IOException or OperationCanceledException or SocketException)
            {
                // Any local program may connect and disconnect, so the sign-in continues to wait for the browser.
                _logger.CallbackEndedEarly(failure.Message);
            }
            finally
            {
                Leave(end);
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, string state, CancellationToken end)
    {
        string? requestLine = await ReadRequestLineAsync(stream, end).ConfigureAwait(false);
        CallbackQuery? query = CallbackQuery.Parse(requestLine, Path);
        bool isOurs = query?.State == state;
        byte[] page = query is null ? CallbackPage.NotFound : isOurs ? CallbackPage.For(query) : CallbackPage.Stranger;
        await stream.WriteAsync(page, end).ConfigureAwait(false);
        if (isOurs)
        {
            _answer.TrySetResult(query!);
        }
        else
        {
            _logger.CallbackOfAnother();
        }
    }

    // A browser sends its request at once. So the oldest connection is closed when there are too many, and silent connections cannot keep the browser out.
    private void Enter(CancellationTokenSource end)
    {
        lock (_open)
        {
            _open.AddLast(end);
            if (_open.Count > MaxConnections)
            {
                CancellationTokenSource oldest = _open.First!.Value;
                _open.RemoveFirst();

                // Cancelled while the lock is held, so that the source has not been disposed of: a connection needs the lock to leave the list before it
                // disposes of its source.
                oldest.Cancel();
            }
        }
    }

    private void Leave(CancellationTokenSource end)
    {
        lock (_open)
        {
            _open.Remove(end);
        }
    }

    private static async Task<string?> ReadRequestLineAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        byte[] head = new byte[MaxHeadBytes];
        for (int filled = 0; filled < head.Length;)
        {
            int read = await stream.ReadAsync(head.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            filled += read;

            // The whole head is read: closing a socket with unread bytes would reset the connection, possibly before the browser has received the page.
            if (head.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) >= 0)
            {
                return Encoding.ASCII.GetString(head, 0, head.AsSpan(0, filled).IndexOf("\r\n"u8));
            }

            if (read == 0)
            {
                break;
            }
        }

        return null;
    }
}
