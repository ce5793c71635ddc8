using System.Net.Http.Headers;

namespace McpProxyFast.OAuth.Net;

/// <summary>
/// Limits what an authorization server can make the proxy do: the schemes of the URLs, the time and the size of an answer, and the hosts to which redirects
/// lead.
/// </summary>
/// <param name="target">The upstream. The operator has chosen its scheme, so it may be http.</param>
/// <param name="maxTime">The longest time from a request to the last byte of its answer, including redirects. After that the request fails.</param>
/// <param name="clock">Measures that time.</param>
internal sealed class BoundedHandler(Uri target, TimeSpan maxTime, TimeProvider clock) : DelegatingHandler
{
    /// <summary>The maximum size of an answer in bytes; a larger one makes the request fail. Metadata and tokens take a few KiB.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>The code of the error for an answer that is larger than <see cref="MaxAnswerBytes"/>.</summary>
    public const string AnswerTooLarge = "answer-too-large";

    private const int MaxRedirects = 5;

    /// <summary>The time limit for a request that can be sent again if its answer is lost.</summary>
    public static readonly TimeSpan MaxRequestTime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The time limit for a request that uses up a code or token, such as a rotating refresh token. It is longer, since the sign-in is lost if the answer is
    /// lost.
    /// </summary>
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

    /// <exception cref="OAuthException">
    /// The URL is not https, not loopback, and not at the target's own origin, so a credential must not be sent to it.
    /// </exception>
    public static void CheckScheme(Uri url, Uri target)
    {
        bool isTarget = url.Scheme == target.Scheme && url.Authority == target.Authority;
        if (!isTarget && !UrlRule.IsSecure(url))
        {
            throw OAuthException.Refused(
                "insecure-url", $"{url.Scheme}://{url.Authority} is not https; credentials are only handled over https (or http on loopback).");
        }
    }

    // A redirect is followed only for a GET, and only within the same origin, which was checked. The server must not be able to choose another one.
    private static Uri? NextHop(HttpRequestMessage request, HttpResponseMessage response)
    {
        bool isRedirect = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;
        if (!isRedirect || request.Method != HttpMethod.Get || response.Headers.Location is not { } location)
        {
            return null;
        }

        // A location that is not a valid URL, such as `//[`, is not followed.
        return Uri.TryCreate(request.RequestUri!, location, out Uri? next)
            && next.Scheme == request.RequestUri!.Scheme && next.Authority == request.RequestUri.Authority ? next : null;
    }

    private static async Task BufferAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        // If the proxy probes an MCP endpoint, the answer may be an event stream that never ends. Its content is not needed, so it is not read.
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
                throw OAuthException.Refused(AnswerTooLarge,
                    $"{host} sent more than {MaxAnswerBytes / 1024} KiB where a short answer was expected, so the answer is not used.");
            }

            body.Write(piece, 0, read);
        }

        var buffered = new ByteArrayContent(body.ToArray());

        // The charset is dropped, since .NET may not know it, for example `utf8`. JSON and forms are UTF-8 in any case (RFC 8259 §8.1).
        buffered.Headers.ContentType = response.Content.Headers.ContentType is { MediaType: { } type } ? new MediaTypeHeaderValue(type) : null;
        response.Content.Dispose();
        response.Content = buffered;
    }
}
