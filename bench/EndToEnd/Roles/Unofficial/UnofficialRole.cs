using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Pipelines.Sockets.Unofficial;

namespace McpProxyFast.EndToEnd.Roles.Unofficial;

/// <summary>The engine, embedded, on the sockets of Pipelines.Sockets.Unofficial in place of its own: what its own are worth.</summary>
internal static class UnofficialRole
{
    private const int Backlog = 4096;

    // The quickest settings of those that the library has: no scheduler between socket and pipe, and no buffer held by silence.
    private const SocketConnectionOptions Options =
        SocketConnectionOptions.InlineReads | SocketConnectionOptions.InlineWrites | SocketConnectionOptions.ZeroLengthReads;

    private static readonly PipeOptions Pipes = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        useSynchronizationContext: false);

    public static async Task<int> RunAsync(RoleArguments arguments)
    {
        // As the command line does, and like there before the first socket exists.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

        var target = new Uri(arguments.UpstreamUrl);
        var upstream = new IPEndPoint(IPAddress.Loopback, target.Port);
        await using var proxy = new McpProxy(new McpProxyOptions { Target = target, ConnectUpstream = stopping => ConnectAsync(upstream, stopping) });

        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, arguments.Port));
        listener.Listen(Backlog);
        while (true)
        {
            _ = ServeAsync(proxy, await listener.AcceptAsync());
        }
    }

    private static async Task ServeAsync(McpProxy proxy, Socket socket)
    {
        using SocketConnection connection = SocketConnection.Create(Prepared(socket), Pipes, Options);
        await proxy.ServeAsync(connection, new ClientConnectionInfo { Remote = socket.RemoteEndPoint }, CancellationToken.None);
    }

    private static async ValueTask<IDuplexPipe> ConnectAsync(IPEndPoint upstream, CancellationToken stopping)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(upstream, stopping);
            return SocketConnection.Create(Prepared(socket), Pipes, Options);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException(e.Message, e);
        }
    }

    private static Socket Prepared(Socket socket)
    {
        socket.NoDelay = true;
        return socket;
    }
}
