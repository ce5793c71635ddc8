using System.Net.Http.Headers;

namespace McpProxyFast.OAuth.Net;

/// <summary>Bounds what a server can do to us: the schemes it can name, the time it can take, the bytes it can send, the hosts it can redirect to.</summary>
/// <param name="target">The upstream, whose scheme is the operator's choice.</param>
/// <param name="maxTime">Longest time from a request to the last byte of its answer, redirects included.</param>
/// <param name="clock">Measures it.</param>
internal sealed class BoundedHandler(Uri target, TimeSpan maxTime, TimeProvider clock) : DelegatingHandler
{
    /// <summary>Largest answer read, in bytes. Metadata and tokens take a few KiB.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>The code of an answer that is larger.</summary>
    public const string AnswerTooLarge = "answer-too-large";

    private const int MaxRedirects = 5;

    /// <summary>The time for a request that can be made again.</summary>
    public static readonly TimeSpan MaxRequestTime = TimeSpan.FromSeconds(10);

    /// <summary>The time for a request with something that works once, such as a rotating refresh token. If its answer is lost, a sign-in is lost.</summary>
    public static readonly TimeSpan MaxPatientTime = TimeSpan.FromMinutes(2);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string host = request.RequestUri!.Authority;
        using var timeout = new CancellationTokenSource(maxTime, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await SendWithinAsync(request, linked.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException failure) when (failure.InnerException is OAuthException refused)
        {
            throw new OAuthException(refused.Failure, refused.Code, refused.Message, failure);
        }
        catch (OperationCanceledException failure) when (timeout.IsCancellationRequested)
        {
            string message = $"{host} did not answer within {maxTime.TotalSeconds:0} s.";
            throw new OAuthException(OAuthFailure.Transient, "server-too-slow", message, failure) { IsUnanswered = true };
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            string message = $"{host} could not be reached: {failure.Message}";
            throw new OAuthException(OAuthFailure.Transient, "server-unreachable", message, failure) { IsUnanswered = !IsUnsent(failure) };
        }
    }

    private async Task<HttpResponseMessage> SendWithinAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (int redirects = 0; ; redirects++)
        {
            CheckScheme(request.RequestUri!, target);
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (NextHop(request, response) is not { } next || redirects == MaxRedirects)
            {
                await BufferAsync(response, cancellationToken).ConfigureAwait(false);
                return response;
            }

            response.Dispose();
            request.RequestUri = next;
        }
    }

    private static bool IsUnsent(Exception failure) => failure is HttpRequestException
    {
        HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError,
    };

    /// <exception cref="OAuthException">A credential must not be sent to such a URL.</exception>
    public static void CheckScheme(Uri url, Uri target)
    {
        bool isTarget = url.Scheme == target.Scheme && url.Authority == target.Authority;
        if (!isTarget && !UrlRule.IsSecure(url))
        {
            throw OAuthException.Refused(
                "insecure-url", $"{url.Scheme}://{url.Authority} is not https; credentials are only handled over https (or http on loopback).");
        }
    }

    // Only a plain read may be repeated elsewhere, and only on the host that was checked: a redirect is the server's word.
    private static Uri? NextHop(HttpRequestMessage request, HttpResponseMessage response)
    {
        bool isRedirect = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;
        if (!isRedirect || request.Method != HttpMethod.Get || response.Headers.Location is not { } location)
        {
            return null;
        }

        // A reference that is not a URL, such as `//[`, leads nowhere.
        return Uri.TryCreate(request.RequestUri!, location, out Uri? next)
            && next.Scheme == request.RequestUri!.Scheme && next.Authority == request.RequestUri.Authority ? next : null;
    }

    private static async Task BufferAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        // A probe of an MCP endpoint may be answered with a stream that never ends; nothing in it is wanted.
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            response.Content.Dispose();
            response.Content = new ByteArrayContent([]);
            return;
        }

        using var body = new MemoryStream();
        Stream source = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] piece = new byte[8 * 1024];
        for (int read; (read = await source.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if (body.Length + read > MaxAnswerBytes)
            {
                string host = response.RequestMessage!.RequestUri!.Authority;
                response.Dispose();
                throw OAuthException.Refused(AnswerTooLarge, $"{host} sent more than {MaxAnswerBytes / 1024} KiB where a small document was expected.");
            }

            body.Write(piece, 0, read);
        }

        var buffered = new ByteArrayContent(body.ToArray());

        // Without its charset, which may be one that is not known here, such as utf8: JSON and forms are UTF-8, whatever it says (RFC 8259 §8.1).
        buffered.Headers.ContentType = response.Content.Headers.ContentType is { MediaType: { } type } ? new MediaTypeHeaderValue(type) : null;
        response.Content.Dispose();
        response.Content = buffered;
    }
}
