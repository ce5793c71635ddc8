using System.Net;
using System.Security.Cryptography.X509Certificates;
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
        using var listener = new PeerListener();
        Task answering = AnswerPlainAsync(listener);
        var log = new LogLines();
        StrictMessage answer = await AskAsync(over, listener, new ProxyLimits(), trusted: null, log);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("The TLS handshake with the upstream failed: the server answered in plain HTTP.", answer.Body, StringComparison.Ordinal);
        Assert.Contains("the server answered in plain HTTP", Assert.Single(log.With("Answered 502 upstream-tls-failed")), StringComparison.Ordinal);
        await answering.Soon();
    }

    [Theory, OverOnly(Why, Over.Sockets, Over.PortableSockets, Over.HostTls)]
    public async Task ConnectTimeoutBoundsTheHandshake(Over over)
    {
        using var listener = new PeerListener(); // accepts, and never says a word
        StrictMessage answer = await AskAsync(over, listener, new ProxyLimits { ConnectTimeout = TimeSpan.FromMilliseconds(50) }, trusted: null);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"reason\":\"upstream-connect-timeout\"", answer.Body, StringComparison.Ordinal);
    }

    private static async Task<StrictMessage> AskAsync(Over over, X509Certificate2 certificate, X509Certificate2? trusted)
    {
        using var listener = new PeerListener(certificate: certificate);
        AnsweringUpstream.Start(listener, _ => Messages.Answer("tls"));
        return await AskAsync(over, listener, new ProxyLimits(), trusted);
    }

    private static async Task<StrictMessage> AskAsync(Over over, PeerListener listener, ProxyLimits limits, X509Certificate2? trusted, LogLines? log = null)
    {
        await using var host = new WireHost(over, options => options with
        {
            Target = new Uri($"https://localhost:{listener.Port}"),
            TrustedCertificates = trusted is null ? null : [trusted],
            Limits = limits,
            Logger = (Microsoft.Extensions.Logging.ILogger?)log ?? options.Logger,
            LookUp = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]), // the system's takes as long as it likes
        });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Get);
        return await client.ReadResponseAsync();
    }

    private static async Task AnswerPlainAsync(PeerListener listener)
    {
        RawPeer peer = await listener.AcceptAsync();
        await peer.SendAsync(Messages.Ok);
    }
}
