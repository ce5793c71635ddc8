using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace McpProxyFast.Harness;

/// <summary>Connections within this machine.</summary>
public static class Loopback
{
    /// <summary>Makes a socket with a port of the system's choice; connecting to it is refused until it listens.</summary>
    public static Socket Bind(int receiveBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBytes;
        }

        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    public static async Task<Socket> ConnectAsync(EndPoint address, int receiveBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBytes;
        }

        await socket.ConnectAsync(address).Soon();
        return socket;
    }

    /// <summary>Two ends of one connection.</summary>
    public static async Task<(Socket Near, Socket Far)> PairAsync(int nearReceiveBytes = 0)
    {
        using Socket listener = Bind();
        listener.Listen(1);
        Task<Socket> accepting = listener.AcceptAsync();
        Socket near = await ConnectAsync(listener.LocalEndPoint!, nearReceiveBytes);
        return (near, await accepting.Soon());
    }

    /// <param name="socket">The server's end.</param>
    /// <param name="certificate">What it shows; null for the one that the tests trust.</param>
    public static async Task<SslStream> SecureAsServerAsync(Socket socket, X509Certificate2? certificate = null)
    {
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsServerAsync(certificate ?? TestCertificate.Local).Soon();
        return tls;
    }

    public static async Task<SslStream> SecureAsClientAsync(Socket socket)
    {
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { TestCertificate.Local },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        }).Soon();
        return tls;
    }
}
