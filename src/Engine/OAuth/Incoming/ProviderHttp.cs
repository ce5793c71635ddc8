using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Asks the identity provider of incoming tokens.</summary>
/// <remarks>Whatever goes wrong on the way is an <see cref="IOException"/> in words that hold no secret.</remarks>
internal sealed class ProviderHttp(OAuthHttp http)
{
    /// <summary>Reads a document.</summary>
    /// <returns>Its bytes, or null if there is none at this place (404 and the like).</returns>
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
        try
        {
            using HttpResponseMessage response = await http.Invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OAuthException fault)
        {
            throw new IOException(fault.Message, fault);
        }
        catch (Exception fault) when (fault is not (IOException or OperationCanceledException))
        {
            // HttpClient could not parse the answer. The text of its exception may quote the request, so only the type is told.
            throw new IOException($"{Place(request.RequestUri!)} sent an answer that cannot be read ({fault.GetType().Name})", fault);
        }
    }

    /// <summary>Parses an answer of the provider's.</summary>
    /// <exception cref="IOException">It is not a JSON object.</exception>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> body, Uri from)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body.WithoutByteOrderMark());
            return document.RootElement.ValueKind is JsonValueKind.Object ? document.RootElement.Clone() : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new IOException($"{Place(from)} sent something that is not a JSON object");
        }
    }

    /// <summary>Claims that were put together here, in the form in which others come from the provider.</summary>
    public static JsonElement Claims(JsonObject claims)
    {
        using JsonDocument document = JsonDocument.Parse(claims.ToJsonString());
        return document.RootElement.Clone();
    }

    /// <summary>A URL without its query: Google's check takes the token there.</summary>
    public static string Place(Uri url) => url.GetLeftPart(UriPartial.Path);
}
