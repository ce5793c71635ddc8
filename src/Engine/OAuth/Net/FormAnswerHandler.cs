using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace McpProxyFast.OAuth.Net;

/// <summary>Converts form-encoded answers to a POST into JSON. RFC 6749 §5.1 requires JSON, but some older servers still send forms.</summary>
/// <remarks>
/// An answer that has neither <c>access_token</c> nor <c>error</c>, or has a parameter twice, is not converted. It is refused later, since it is not JSON.
/// </remarks>
internal sealed class FormAnswerHandler : DelegatingHandler
{
    /// <summary>The maximum number of parameters in an answer; an answer with more is not converted.</summary>
    private const int MaxParameters = 64;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        bool mayBeForm = request.Method == HttpMethod.Post
            && response.Content.Headers.ContentType?.MediaType is "application/x-www-form-urlencoded" or "text/plain" or "text/html";
        if (mayBeForm && Read(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)) is { } json)
        {
            response.Content.Dispose();
            response.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json.ToJsonString()));
            response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        return response;
    }

    /// <returns>The parameters as JSON; null if the text is not a form with a token or an error.</returns>
    private static JsonObject? Read(string text)
    {
        string[] pairs = text.Trim().Split('&');
        if (pairs.Length > MaxParameters || text.AsSpan().ContainsAny('<', '{', '\n'))
        {
            return null;
        }

        var json = new JsonObject();
        foreach (string[] pair in pairs.Select(pair => pair.Split('=', 2)))
        {
            if (pair.Length < 2 || !json.TryAdd(WebUtility.UrlDecode(pair[0]), WebUtility.UrlDecode(pair[1])))
            {
                return null;
            }
        }

        return json.ContainsKey("access_token") || json.ContainsKey("error") ? json : null;
    }
}
