using System.Net;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>The least proxy that does with a credential source what the engine does: insert, recover, replay.</summary>
internal sealed class ForwardingProxy : IAsyncDisposable
{
    private const int MaxReplays = 3;

    private readonly WebApplication _app;
    private readonly Uri _target;
    private readonly CredentialSource _credentials;
    private readonly HttpClient _upstream = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };

    private ForwardingProxy(WebApplication app, Uri target, CredentialSource credentials)
    {
        _app = app;
        _target = target;
        _credentials = credentials;
    }

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<ForwardingProxy> StartAsync(Uri target, CredentialSource credentials, int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var proxy = new ForwardingProxy(builder.Build(), target, credentials);
        proxy._app.Run(proxy.ForwardAsync);
        await proxy._app.StartAsync();
        await credentials.StartAsync(CancellationToken.None);
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _credentials.DisposeAsync();
        _upstream.Dispose();
    }

    private async Task ForwardAsync(HttpContext http)
    {
        if (http.Request.Path.StartsWithSegments("/.well-known"))
        {
            http.Response.StatusCode = 404;
            return;
        }

        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var request = new UpstreamRequest(http.Request.Method, new Uri(_target, http.Request.Path + http.Request.QueryString));
        CredentialLine? line = _credentials.ProvesEachRequest ? null : _credentials.Current;
        if (line is null)
        {
            CredentialResult obtained = await _credentials.ObtainAsync(request, http.RequestAborted);
            if (obtained.Kind is CredentialResultKind.Unavailable)
            {
                await RefuseAsync(http, obtained);
                return;
            }

            line = obtained.Line;
        }

        await ForwardAsync(http, request, body.ToArray(), line);
    }

    private async Task ForwardAsync(HttpContext http, UpstreamRequest request, byte[] body, CredentialLine? line)
    {
        for (int attempt = 0; ; attempt++)
        {
            using HttpResponseMessage response = await SendAsync(http, request, body, line);
            if (response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
            {
                await CopyAsync(http, response);
                return;
            }

            CredentialResult recovered = await _credentials.RecoverAsync(Challenge(request, response, line, attempt), http.RequestAborted);
            if (recovered.Kind is CredentialResultKind.Unavailable)
            {
                await RefuseAsync(http, recovered);
                return;
            }

            if (recovered.Kind is CredentialResultKind.PassThrough || attempt == MaxReplays)
            {
                await CopyAsync(http, response);
                return;
            }

            line = recovered.Line;
        }
    }

    private static UpstreamChallenge Challenge(UpstreamRequest request, HttpResponseMessage response, CredentialLine? used, int attempt)
    {
        string[] challenges = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values) ? [.. values] : [];
        string? nonce = response.Headers.TryGetValues("DPoP-Nonce", out IEnumerable<string>? nonces) ? nonces.First() : null;
        return new UpstreamChallenge(request, (int)response.StatusCode, challenges, nonce, used, attempt);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpContext http, UpstreamRequest request, byte[] body, CredentialLine? line)
    {
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), request.Url);
        if (body.Length > 0)
        {
            message.Content = new ByteArrayContent(body);
        }

        foreach ((string name, Microsoft.Extensions.Primitives.StringValues value) in http.Request.Headers)
        {
            if (name is "Host" or "Connection" or "Content-Length" or "Transfer-Encoding" or "Authorization")
            {
                continue;
            }

            if (!message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value))
            {
                message.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value);
            }
        }

        foreach (string field in System.Text.Encoding.ASCII.GetString((line?.Bytes ?? default).Span).Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = field.Split(": ", 2);
            message.Headers.TryAddWithoutValidation(parts[0], parts[1]);
        }

        return await _upstream.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
    }

    private static async Task CopyAsync(HttpContext http, HttpResponseMessage response)
    {
        http.Response.StatusCode = (int)response.StatusCode;
        foreach ((string name, IEnumerable<string> values) in response.Headers.Concat(response.Content.Headers))
        {
            if (name is not ("WWW-Authenticate" or "Transfer-Encoding" or "Connection"))
            {
                http.Response.Headers[name] = values.ToArray();
            }
        }

        await http.Response.StartAsync();
        await using Stream source = await response.Content.ReadAsStreamAsync(http.RequestAborted);
        byte[] piece = new byte[16 * 1024];
        for (int read; (read = await source.ReadAsync(piece, http.RequestAborted)) > 0;)
        {
            await http.Response.Body.WriteAsync(piece.AsMemory(0, read), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private static Task RefuseAsync(HttpContext http, CredentialResult refused)
    {
        http.Response.StatusCode = 503;
        http.Response.Headers.RetryAfter = refused.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return http.Response.WriteAsync($"{refused.Code}: {refused.Message}");
    }
}
