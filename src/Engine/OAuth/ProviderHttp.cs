using System.Net;
using System.Text.Json;

namespace McpProxyFast.OAuth;

/// <summary>Asks the identity provider of incoming tokens. Whatever goes wrong on the way is an <see cref="IOException"/> in words that hold no secret.</summary>
internal sealed class ProviderHttp(HttpMessageInvoker http)
{
    /// <summary>Reads a JSON document.</summary>
    /// <returns>The document, or null where there is none at this place (404 and the like).</returns>
    /// <exception cref="IOException">The provider cannot be reached, is too slow, or sent too much.</exception>
    public async Task<byte[]?> GetAsync(Uri url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Add("Accept", "application/json");
        (HttpStatusCode status, byte[] body) = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        return status switch
        {
            HttpStatusCode.OK => body,
            >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests => throw new IOException($"{Place(url)} answered {(int)status}"),
            _ => null,
        };
    }

    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <exception cref="IOException">The provider cannot be reached, is too slow, or sent too much.</exception>
    public async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await GuardAsync(request.RequestUri!, () => http.SendAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
        byte[] body = await GuardAsync(request.RequestUri!, () => response.Content.ReadAsByteArrayAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return (response.StatusCode, body);
    }

    /// <summary>Parses an answer of the provider's.</summary>
    /// <exception cref="IOException">It is not a JSON object.</exception>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> body, Uri from)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind is JsonValueKind.Object ? document.RootElement.Clone() : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new IOException($"{Place(from)} sent something that is no JSON object");
        }
    }

    /// <summary>A URL without its query, in which Google wants the token.</summary>
    public static string Place(Uri url) => url.GetLeftPart(UriPartial.Path);

    private static async Task<T> GuardAsync<T>(Uri url, Func<Task<T>> step, CancellationToken cancellationToken)
    {
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (HttpRequestException fault)
        {
            throw new IOException($"{Place(url)} could not be asked: {fault.Message}", fault);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{Place(url)} did not answer in time", fault);
        }
    }
}
