using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using McpProxyFast.Mcp.Tests.Readme;
using McpProxyFast.Mcp.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>A host that owns its connections gives them to the proxy: here, Kestrel, with the very code of README.md.</summary>
public sealed class EmbeddingTests : IDisposable
{
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private readonly HttpClient _client;

    public EmbeddingTests()
    {
        string expected = _certificate.GetCertHashString();
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == expected;
        _client = new HttpClient(handler);
    }

    public void Dispose()
    {
        _client.Dispose();
        _certificate.Dispose();
    }

    [Fact]
    public async Task KestrelConnectionIsServedByTheProxy()
    {
        await using McpServerHost server = await McpServerHost.StartAsync(HttpServerSessionMode.Stateful);
        await using WebApplication gateway = await StartGatewayAsync(new McpProxyOptions { Target = server.Address });

        await using McpClient client = await McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions { Endpoint = UrlOf(gateway) }, _client),
            new McpClientOptions { ProtocolVersion = Revision.Stateful });
        CallToolResult answer = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "through Kestrel" });

        Assert.Equal("through Kestrel", answer.Content.OfType<TextContentBlock>().Single().Text);
    }

    [Fact]
    public async Task HostStopsAtOnceWithAnIdleConnection()
    {
        await using WebApplication gateway = await StartGatewayAsync(new McpProxyOptions { Target = new Uri("http://127.0.0.1:9/mcp") });
        using HttpResponseMessage answer = await _client.GetAsync(new Uri(UrlOf(gateway), "/health"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await gateway.StopAsync().Soon(); // the host itself would wait for ever
    }

    [Fact]
    public async Task ClientThatWouldRatherSpeakHttp2IsToldThatTheProxySpeaksHttp11()
    {
        await using WebApplication gateway = await StartGatewayAsync(new McpProxyOptions { Target = new Uri("http://127.0.0.1:9/mcp") });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(UrlOf(gateway), "/health"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };

        using HttpResponseMessage answer = await _client.SendAsync(request);

        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version11), (answer.StatusCode, answer.Version));
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "https://evil.example")]
    public async Task PageElsewhereDoesNotReachAGatewayOnLoopback(string field, string value)
    {
        await using WebApplication gateway = await StartGatewayAsync(new McpProxyOptions { Target = new Uri("http://127.0.0.1:9/mcp") });
        using var request = new HttpRequestMessage(HttpMethod.Get, UrlOf(gateway));
        request.Headers.TryAddWithoutValidation(field, value);

        using HttpResponseMessage answer = await _client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task ClientIsSentToTheMetadataByHttps()
    {
        await using WebApplication gateway = await StartGatewayAsync(
            new McpProxyOptions { Target = new Uri("http://127.0.0.1:9/mcp"), Incoming = TokenPolicy.Custom(new AdmitsNobody()) });

        using HttpResponseMessage answer = await _client.GetAsync(UrlOf(gateway));

        string expected = $"resource_metadata=\"https://{UrlOf(gateway).Authority}/.well-known/oauth-protected-resource/mcp\"";
        Assert.Contains(expected, Assert.Single(answer.Headers.WwwAuthenticate).Parameter, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AccessLogHasALineForEachExchange()
    {
        await using McpServerHost server = await McpServerHost.StartAsync(HttpServerSessionMode.Stateful);
        var lines = new Lines();
        var log = new AccessLog(lines);
        using var stopping = new CancellationTokenSource();
        Task writing = log.WriteAsync(stopping.Token);
        await using WebApplication gateway = await StartGatewayAsync(new McpProxyOptions { Target = server.Address, Observer = log });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(UrlOf(gateway), "/nothing?token=secret"));
        request.Headers.Add("Mcp-Name", "it's \"quoted\"");
        using HttpResponseMessage answer = await _client.SendAsync(request);

        using JsonDocument line = JsonDocument.Parse(await lines.First.Soon());
        JsonElement logged = line.RootElement;
        Assert.Equal(("127.0.0.1", "POST", "/nothing"), (Text("peer"), Text("method"), Text("path")));
        Assert.Equal(("it's \"quoted\"", "Answered", (int)answer.StatusCode), (Text("name"), Text("end"), logged.GetProperty("status").GetInt32()));
        Assert.DoesNotContain("secret", logged.GetRawText(), StringComparison.Ordinal);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.Soon());

        string? Text(string name) => logged.GetProperty(name).GetString();
    }

    [Fact]
    public async Task BridgeOfThePageEndsWithItsClient()
    {
        Pipe toBridge = new(), fromBridge = new();
        await toBridge.Writer.CompleteAsync();

        await Samples.BridgeAsync(new Ends(toBridge.Reader, fromBridge.Writer), CancellationToken.None).Soon();

        Assert.True((await fromBridge.Reader.ReadAsync()).IsCompleted);
    }

    private async Task<WebApplication> StartGatewayAsync(McpProxyOptions options)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        Samples.Configure(builder, options, new IPEndPoint(IPAddress.Loopback, 0), _certificate);
        WebApplication gateway = builder.Build();
        await gateway.StartAsync();
        return gateway;
    }

    private static Uri UrlOf(WebApplication gateway) => new(new Uri(gateway.Urls.Single()), "/mcp");

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class AdmitsNobody : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) => ValueTask.FromResult(TokenVerdict.Invalid("nobody"));
    }

    /// <summary>Where the access log is written to.</summary>
    private sealed class Lines : StringWriter
    {
        private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> First => _first.Task;

        public override Task WriteLineAsync(string? value)
        {
            _first.TrySetResult(value!);
            return Task.CompletedTask;
        }
    }
}
