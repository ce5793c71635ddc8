using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace McpProxyFast.OAuth.Net;

/// <summary>
/// Sends all requests to authorization servers: with limits on time and size, and without following redirects to other hosts. Private addresses are refused as
/// <see cref="AddressGuard"/> says.
/// </summary>
internal sealed class OAuthHttp : IDisposable
{
    /// <summary>The upstream. Never changes.</summary>
    private readonly Uri _target;

    /// <summary>Checks the addresses before connections are made to them. Never changes.</summary>
    private readonly AddressGuard _guard;

    /// <summary>The client for requests that can be sent again if their answer is lost. Valid until disposed of.</summary>
    private readonly HttpClient _client;

    /// <summary>
    /// The client for requests that use up a code or token. It shares the connections of <c>_client</c> and has a longer time limit. Valid until disposed of.
    /// </summary>
    private readonly HttpClient _patient;

    /// <param name="target">The upstream. It may have a private address, like every URL that the operator has set.</param>
    /// <param name="operatorUrls">The other URLs that the operator has set.</param>
    /// <param name="trustAnchors">Certificates that are trusted besides the system's.</param>
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

    /// <summary>Sends requests that can be sent again if their answer is lost.</summary>
    public HttpMessageInvoker Invoker => _client;

    /// <summary>Sends requests that use up a code or token, such as an authorization code or a rotating refresh token. The time limit is longer.</summary>
    public HttpMessageInvoker PatientInvoker => _patient;

    /// <summary>Checks whether a URL may be used. Called before anything is sent to it.</summary>
    /// <exception cref="OAuthException">
    /// With the failure Refused: it must not be used. With the failure Transient: its host's name cannot be resolved now.
    /// </exception>
    public Task CheckAsync(Uri url, CancellationToken cancellationToken)
    {
        BoundedHandler.CheckScheme(url, _target);
        return _guard.CheckAsync(url, cancellationToken);
    }

    /// <summary>Reads a metadata document.</summary>
    /// <returns>The status, and the document if the status is 200 and the answer is JSON of this type; otherwise the document is the default value.</returns>
    /// <exception cref="OAuthException">The URL must not be requested, the server cannot be reached, or its answer exceeds a limit.</exception>
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
            // The answer is not JSON. Many servers answer a request for an unknown path with 200 and a web page.
            return default;
        }
    }
}
