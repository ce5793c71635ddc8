using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>https targets: the name is always checked, and trust comes from the system or from the anchors given.</summary>
public sealed class UpstreamTlsTests
{
    private const string Why = "The engine connects by itself; the target is each test's own.";

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task SelfSignedUpstreamIsRefused(Over over)
    {
        using X509Certificate2 certificate = TestCertificate.For("localhost");
        StrictMessage answer = await AskAsync(over, certificate, trusted: null);
        Assert.Equal(502, answer.Status);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task UpstreamOfATrustedAnchorIsAccepted(Over over)
    {
        using X509Certificate2 certificate = TestCertificate.For("localhost");
        StrictMessage answer = await AskAsync(over, certificate, certificate);
        Assert.Equal((200, "tls"), (answer.Status, answer.Body));
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task WrongNameIsRefusedEvenOfATrustedAnchor(Over over)
    {
        using X509Certificate2 certificate = TestCertificate.For("elsewhere.example");
        StrictMessage answer = await AskAsync(over, certificate, certificate);
        Assert.Equal(502, answer.Status);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
    }

    /// <summary>A certificate that was issued to a client does not make its holder the upstream (RFC 5280 §4.2.1.12).</summary>
    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task ClientsCertificateIsRefusedEvenOfATrustedAnchor(Over over)
    {
        using X509Certificate2 certificate = TestCertificate.For("localhost", purpose: "1.3.6.1.5.5.7.3.2");
        StrictMessage answer = await AskAsync(over, certificate, certificate);
        Assert.Equal(502, answer.Status);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task AnotherAnchorDoesNotHelp(Over over)
    {
        using X509Certificate2 certificate = TestCertificate.For("localhost");
        using X509Certificate2 other = TestCertificate.For("localhost");
        Assert.Equal(502, (await AskAsync(over, certificate, other)).Status);
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task UpstreamThatSpeaksNoTlsIsA502(Over over)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answering = AnswerPlainAsync(listener);
        var log = new LogLines();
        StrictMessage answer = await AskAsync(over, listener, new ProxyLimits(), trusted: null, log);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("TLS with the upstream failed: the server answered in plain HTTP.", answer.Body, StringComparison.Ordinal);
        Assert.Contains("the server answered in plain HTTP", Assert.Single(log.With("Answered 502 upstream-tls-failed")), StringComparison.Ordinal);
        await answering.Soon();
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task ConnectTimeoutBoundsTheHandshake(Over over)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(); // accepts, and never says a word
        StrictMessage answer = await AskAsync(over, listener, new ProxyLimits { ConnectTimeout = TimeSpan.FromMilliseconds(50) }, trusted: null);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"reason\":\"upstream-connect-timeout\"", answer.Body, StringComparison.Ordinal);
    }

    private static async Task<StrictMessage> AskAsync(Over over, X509Certificate2 certificate, X509Certificate2? trusted)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeAsync(listener, certificate);
        StrictMessage answer = await AskAsync(over, listener, new ProxyLimits(), trusted);
        await serving.Soon();
        return answer;
    }

    private static async Task<StrictMessage> AskAsync(Over over, TcpListener listener, ProxyLimits limits, X509Certificate2? trusted, LogLines? log = null)
    {
        await using var host = new WireHost(over, options => options with
        {
            Target = new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"),
            TrustedCertificates = trusted is null ? null : [trusted],
            Limits = limits,
            Logger = (Microsoft.Extensions.Logging.ILogger?)log ?? options.Logger,
            LookUp = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]), // the system's takes as long as it likes
        });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        return await client.ReadResponseAsync();
    }

    private static async Task ServeAsync(TcpListener listener, X509Certificate2 certificate)
    {
        using Socket socket = await listener.AcceptSocketAsync();
        await using var tls = new SslStream(new NetworkStream(socket));
        try
        {
            await tls.AuthenticateAsServerAsync(certificate);
            await tls.ReadAtLeastAsync(new byte[16], 16);
            await tls.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntls"u8.ToArray());
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The proxy refused the certificate: that is what half of the tests are about.
        }
    }

    private static async Task AnswerPlainAsync(TcpListener listener)
    {
        using Socket socket = await listener.AcceptSocketAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Messages.Ok));
    }
}
