using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>Waits on loopback for the browser to come back (RFC 8252 §7.3). A request without the right state gets an error page and is ignored.</summary>
internal sealed class LoopbackCallback : IDisposable
{
    public const string Path = "/callback";

    private const int MaxHeadBytes = 16 * 1024;
    private const int MaxConnections = 64;
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long the loop pauses after a connection could not be accepted, usually because no descriptor is left (EMFILE, ENFILE).</summary>
    internal static readonly TimeSpan BackOff = TimeSpan.FromMilliseconds(200);

    /// <summary>A listener for each address family (IPv4, IPv6), on the same port; valid until disposed of.</summary>
    private readonly List<TcpListener> _listeners;

    /// <summary>Measures how long a connection may take.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs requests that are ignored.</summary>
    private readonly ILogger _logger;

    /// <summary>The sources that end the open connections, the oldest first. The list is also the lock that guards it.</summary>
    private readonly LinkedList<CancellationTokenSource> _open = new();

    /// <summary>Accepts the next connection. Never changes.</summary>
    private readonly Func<TcpListener, CancellationToken, ValueTask<TcpClient>> _accept;

    /// <summary>Whether it was logged that a connection could not be accepted. The loops of both address families use it, so it may be logged twice.</summary>
    private volatile bool _hasToldOfFailure;

    /// <summary>Completed with the parameters of the redirect, once the browser has come back.</summary>
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
    /// <param name="mayMove">Whether any other free port may be used if that port is in use.</param>
    /// <param name="clock">Measures how long a connection may take.</param>
    /// <param name="logger">Logs requests that are ignored.</param>
    /// <param name="accept">Accepts the next connection; null for the usual way.</param>
    /// <exception cref="OAuthException">The port is in use.</exception>
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

    /// <summary>Waits for the redirect that carries <paramref name="state"/>.</summary>
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

    // It listens on IPv4 and IPv6, since `localhost` may mean either. A program that listened on the other one could read the code.
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
            // IPv6 is compiled in but has no loopback address here.
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
                // The wait is over. The pages that are being written are still completed.
            }
            catch (SocketException failure)
            {
                // The system has no room for it now, or the client left before it was accepted. What could not be accepted fails again at once.
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
                // Any local program may connect and disconnect. The sign-in goes on waiting for the browser.
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

    // A browser sends its request at once. So the connection that has been silent longest is closed, and silent ones cannot keep the browser out.
    private void Enter(CancellationTokenSource end)
    {
        lock (_open)
        {
            _open.AddLast(end);
            if (_open.Count > MaxConnections)
            {
                CancellationTokenSource oldest = _open.First!.Value;
                _open.RemoveFirst();

                // Cancelled under the lock, so that it is not disposed of meanwhile: a connection takes the lock to leave the list first.
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

            // The whole head is read, since closing a socket with unread bytes would reset the connection before the browser has the page.
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
