using System.Net;
using System.Net.Security;
using System.Net.Sockets;
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
        int port = UnusedPort();
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

    private static Connector Make(NetworkStack network, Uri target, IPAddress[] addresses) =>
        new(target, Patience.Limit, network, checkCertificate: null, (_, _) => Task.FromResult(addresses), TimeProvider.System);

    private static int UnusedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
