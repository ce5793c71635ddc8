using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>https targets: the name is always checked, and trust comes from the system or from the anchors given.</summary>
public sealed class UpstreamTlsTests
{
    [Fact]
    public async Task SelfSignedUpstreamIsRefused()
    {
        using X509Certificate2 certificate = SelfSigned("localhost");
        StrictMessage answer = await AskAsync(certificate, trusted: null);
        Assert.Equal(502, answer.Status);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpstreamOfATrustedAnchorIsAccepted()
    {
        using X509Certificate2 certificate = SelfSigned("localhost");
        StrictMessage answer = await AskAsync(certificate, certificate);
        Assert.Equal((200, "tls"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task WrongNameIsRefusedEvenOfATrustedAnchor()
    {
        using X509Certificate2 certificate = SelfSigned("elsewhere.example");
        StrictMessage answer = await AskAsync(certificate, certificate);
        Assert.Equal(502, answer.Status);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherAnchorDoesNotHelp()
    {
        using X509Certificate2 certificate = SelfSigned("localhost");
        using X509Certificate2 other = SelfSigned("localhost");
        Assert.Equal(502, (await AskAsync(certificate, other)).Status);
    }

    [Fact]
    public async Task UpstreamThatSpeaksNoTlsIsA502()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answering = AnswerPlainAsync(listener);
        StrictMessage answer = await AskAsync(listener, new ProxyLimits(), trusted: null);
        Assert.Contains("\"reason\":\"upstream-tls-failed\"", answer.Body, StringComparison.Ordinal);
        await answering.Soon();
    }

    [Fact]
    public async Task ConnectTimeoutBoundsTheHandshake()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(); // accepts, and never says a word
        StrictMessage answer = await AskAsync(listener, new ProxyLimits { ConnectTimeout = TimeSpan.FromMilliseconds(50) }, trusted: null);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"reason\":\"upstream-connect-timeout\"", answer.Body, StringComparison.Ordinal);
    }

    private static async Task<StrictMessage> AskAsync(X509Certificate2 certificate, X509Certificate2? trusted)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeAsync(listener, certificate);
        StrictMessage answer = await AskAsync(listener, new ProxyLimits(), trusted);
        await serving.Soon();
        return answer;
    }

    private static async Task<StrictMessage> AskAsync(TcpListener listener, ProxyLimits limits, X509Certificate2? trusted)
    {
        await using var host = new WireHost(Over.Sockets, options => options with
        {
            Target = new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"),
            TrustedCertificates = trusted is null ? null : [trusted],
            Limits = limits,
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

    private static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
