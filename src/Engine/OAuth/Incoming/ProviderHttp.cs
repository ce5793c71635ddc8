using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Sends requests to the identity provider that issues the incoming tokens.</summary>
/// <remarks>
/// Every failure is an <see cref="IOException"/> whose message contains no secret. A cancelled request throws <see cref="OperationCanceledException"/>.
/// </remarks>
internal sealed class ProviderHttp(OAuthHttp http)
{
    /// <summary>Reads a document.</summary>
    /// <returns>The bytes of the document; null if there is none at this URL: the status is below 500, and neither 200 nor 429.</returns>
    /// <exception cref="IOException">The provider cannot be reached, is too slow, sends too much, or answers with 429 or a status of 500 or more.</exception>
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
    /// <exception cref="IOException">The provider cannot be reached, is too slow, or has sent too much.</exception>
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
            // HttpClient could not parse the answer. The message of its exception may quote the request, so only its type is reported.
            throw new IOException($"{Place(request.RequestUri!)} sent an answer that cannot be read ({fault.GetType().Name})", fault);
        }
    }

    /// <summary>Parses an answer of the provider, which must be a JSON object.</summary>
    /// <exception cref="IOException">The answer is not a JSON object.</exception>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> body, Uri from)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body.WithoutByteOrderMark());
            return document.RootElement.ValueKind is JsonValueKind.Object ? document.RootElement.Clone() : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new IOException($"{Place(from)} answered with something that is not a JSON object");
        }
    }

    /// <summary>Converts claims that the proxy has built itself to the type of a parsed answer.</summary>
    public static JsonElement Claims(JsonObject claims)
    {
        using JsonDocument document = JsonDocument.Parse(claims.ToJsonString());
        return document.RootElement.Clone();
    }

    /// <summary>Returns a URL without its query, for messages: the request to Google has the token in the query.</summary>
    public static string Place(Uri url) => url.GetLeftPart(UriPartial.Path);
}
