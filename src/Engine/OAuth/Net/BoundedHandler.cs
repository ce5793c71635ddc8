namespace McpProxyFast.OAuth.Net;

/// <summary>Bounds what a server can do to us: the schemes it can name, the time it can take, the bytes it can send, the hosts it can redirect to.</summary>
internal sealed class BoundedHandler(Uri target, TimeProvider clock) : DelegatingHandler
{
    /// <summary>Largest answer read, in bytes. Metadata and tokens take a few KiB.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    private const int MaxRedirects = 5;

    /// <summary>Longest time from a request to the last byte of its answer, redirects included.</summary>
    public static readonly TimeSpan MaxRequestTime = TimeSpan.FromSeconds(10);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string host = request.RequestUri!.Authority;
        using var timeout = new CancellationTokenSource(MaxRequestTime, clock);
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
            throw OAuthException.Transient("server-too-slow", $"{host} did not answer within {MaxRequestTime.TotalSeconds:0} s.", failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw OAuthException.Transient("server-unreachable", $"{host} could not be reached: {failure.Message}", failure);
        }
    }

    private async Task<HttpResponseMessage> SendWithinAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (int redirects = 0; ; redirects++)
        {
            CheckScheme(request.RequestUri!);
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

    private void CheckScheme(Uri url)
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

        // A reference that is no URL, such as `//[`, leads nowhere.
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
                throw OAuthException.Refused("answer-too-large", $"{host} sent more than {MaxAnswerBytes / 1024} KiB where a small document was expected.");
            }

            body.Write(piece, 0, read);
        }

        var buffered = new ByteArrayContent(body.ToArray());
        buffered.Headers.ContentType = response.Content.Headers.ContentType;
        response.Content.Dispose();
        response.Content = buffered;
    }
}
