using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace McpProxyFast.OAuth.Net;

/// <summary>The one way out to authorization servers: bounded, without redirects to other hosts, and never to where a server must not send us.</summary>
internal sealed class OAuthHttp : IDisposable
{
    /// <summary>The upstream. Set for life.</summary>
    private readonly Uri _target;

    /// <summary>Says where a connection may lead. Set for life.</summary>
    private readonly AddressGuard _guard;

    /// <summary>For requests that can be made again. Valid until disposed of.</summary>
    private readonly HttpClient _client;

    /// <summary>As <c>_client</c>, over the same connections, with more time. Valid until disposed of.</summary>
    private readonly HttpClient _patient;

    /// <param name="target">The upstream; like every URL that the operator gave, it is trusted.</param>
    /// <param name="operatorUrls">The other URLs that the operator gave.</param>
    /// <param name="trustAnchors">Certificates that are trusted beside the system's.</param>
    /// <param name="clock">Measures the time that a request may take.</param>
    /// <param name="lookUp">Resolves names; null for the system's resolver.</param>
    public OAuthHttp(
        Uri target,
        IEnumerable<Uri> operatorUrls,
        X509Certificate2Collection? trustAnchors,
        TimeProvider clock,
        Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
    {
        _target = target;
        _guard = new AddressGuard(target, operatorUrls, lookUp);
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = _guard.ConnectAsync,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        sockets.SslOptions.RemoteCertificateValidationCallback = TrustAnchors.Check(trustAnchors);
        _client = Client(BoundedHandler.MaxRequestTime);
        _patient = Client(BoundedHandler.MaxPatientTime);

        HttpClient Client(TimeSpan maxTime)
        {
            var bounded = new BoundedHandler(target, maxTime, clock) { InnerHandler = sockets };
            var client = new HttpClient(new FormAnswerHandler { InnerHandler = bounded }) { Timeout = Timeout.InfiniteTimeSpan };
            client.DefaultRequestHeaders.Add("User-Agent", "mcpproxyfast");
            return client;
        }
    }

    /// <summary>For requests that are not a plain GET of JSON.</summary>
    public HttpMessageInvoker Invoker => _client;

    /// <summary>For requests with something that works once, such as a code or a refresh token that rotates.</summary>
    public HttpMessageInvoker PatientInvoker => _patient;

    /// <summary>Says before anything is sent there whether a URL may be used.</summary>
    /// <exception cref="OAuthException">Refused: it must not. Transient: its host is not found now.</exception>
    public Task CheckAsync(Uri url, CancellationToken cancellationToken)
    {
        BoundedHandler.CheckScheme(url, _target);
        return _guard.CheckAsync(url, cancellationToken);
    }

    /// <summary>Reads a metadata document.</summary>
    /// <returns>The status, and the document if it is 200 and one of the wanted kind; else the default.</returns>
    /// <exception cref="OAuthException">The URL must not be asked, or the answer broke a bound.</exception>
    public async Task<(HttpStatusCode Status, T? Document)> GetJsonAsync<T>(string url, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Add("Accept", "application/json");
        using HttpResponseMessage response = await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is not HttpStatusCode.OK)
        {
            return (response.StatusCode, default);
        }

        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        return (HttpStatusCode.OK, TryRead(body, type));
    }

    public void Dispose()
    {
        _patient.Dispose();
        _client.Dispose();
    }

    private static T? TryRead<T>(byte[] body, JsonTypeInfo<T> type)
    {
        try
        {
            T? document = JsonSerializer.Deserialize(new ReadOnlyMemory<byte>(body).WithoutByteOrderMark().Span, type);
            return document is JsonElement { ValueKind: JsonValueKind.Object } json && !json.HasReadableNames() ? default : document;
        }
        catch (JsonException)
        {
            // Many servers answer an unknown path with 200 and a page.
            return default;
        }
    }
}
