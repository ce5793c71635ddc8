using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Engine.Tests.Transport.Network;

/// <summary>What a failed connect has to say for the log.</summary>
public sealed class ConnectorTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AddressesThatRefuseAreNamedWithTheSystemsError(bool portable)
    {
        using var network = new NetworkStack(portable);
        using Socket nobody = HoldPort();
        int port = ((IPEndPoint)nobody.LocalEndPoint!).Port;
        Connector connector = Make(network, new Uri($"http://upstream.test:{port}"), [IPAddress.Loopback, IPAddress.Parse("127.0.0.2")]);

        ConnectResult result = await connector.ConnectAsync(null, CancellationToken.None).Soon();

        Assert.Equal(FaultReason.UpstreamUnreachable, result.Fault);
        int refused = OperatingSystem.IsLinux() ? 111 : new SocketException((int)SocketError.ConnectionRefused).NativeErrorCode;
        Assert.Matches(
            $@"^upstream\.test: 127\.0\.0\.1:{port}: [^;]+ \(errno {refused}\); 127\.0\.0\.2:{port}: [^;]+ \(errno {refused}\)$", result.Failure!.ToString());
    }

    [Fact]
    public async Task LookUpThatFailedIsNamed()
    {
        using var network = new NetworkStack();
        var connector = new Connector(
            new Uri("http://upstream.test"),
            Patience.Limit,
            network,
            checkCertificate: null,
            (_, _) => Task.FromException<IPAddress[]>(new SocketException((int)SocketError.TryAgain)),
            TimeProvider.System);

        ConnectResult result = await connector.ConnectAsync(null, CancellationToken.None).Soon();

        Assert.Equal(FaultReason.UpstreamNameUnresolved, result.Fault);
        Assert.StartsWith($"upstream.test: {new SocketException((int)SocketError.TryAgain).Message}", result.Failure!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Such as a store of roots that cannot be read. TLS itself would say "internal error", or that the certificate is refused.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CheckOfACertificateThatThrowsIsNamed(bool portable)
    {
        using var network = new NetworkStack(portable);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeTlsAsync(listener);
        var target = new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}");
        var connector = new Connector(
            target,
            Patience.Limit,
            network,
            (_, _, _, _) => throw new CryptographicException("The roots cannot be read."),
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
            TimeProvider.System);

        ConnectResult result = await connector.ConnectAsync(null, CancellationToken.None).Soon();

        Assert.Equal(FaultReason.UpstreamTlsFailed, result.Fault);
        Assert.EndsWith("the certificate could not be checked: The roots cannot be read.", result.Failure!.ToString(), StringComparison.Ordinal);
        await serving.Soon();
    }

    [Fact]
    public void CertificateIsNamedWithoutItsControlCharacters()
    {
        var fault = new CertificateFault(
            SslPolicyErrors.RemoteCertificateNameMismatch, "UntrustedRoot", "upstream.test", "CN=\u001b[31mred", "CN=" + new string('a', 1000),
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        var attempt = new FailedAttempt(new IPEndPoint(IPAddress.Loopback, 443), FaultReason.UpstreamTlsFailed, null, fault);

        string line = attempt.ToString();

        Assert.StartsWith("127.0.0.1:443: certificate refused: RemoteCertificateNameMismatch (UntrustedRoot); asked for upstream.test,", line, StringComparison.Ordinal);
        Assert.Contains(@"CN=\u001B[31mred", line, StringComparison.Ordinal);
        Assert.InRange(line.Length, 0, 600);
    }

    private static async Task ServeTlsAsync(TcpListener listener)
    {
        using Socket socket = await listener.AcceptSocketAsync();
        await using var tls = new SslStream(new NetworkStream(socket));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        try
        {
            await tls.AuthenticateAsServerAsync(certificate);
            await tls.ReadExactlyAsync(new byte[1]);
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The engine does not go on: that is what the test is about.
        }
    }

    private static Connector Make(NetworkStack network, Uri target, IPAddress[] addresses) =>
        new(target, Patience.Limit, network, checkCertificate: null, (_, _) => Task.FromResult(addresses), TimeProvider.System);

    /// <summary>Has a port at which nobody listens, at any address, until it is disposed of.</summary>
    private static Socket HoldPort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return socket;
    }
}
