using System.Net;
using System.Net.Http.Headers;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Finds out whether the upstream wants a token, by sending it the first requests of MCP clients.</summary>
internal sealed class Probe(OAuthHttp http, ILogger logger)
{
    private const string Initialize = """
        {"jsonrpc":"2.0","id":1,"method":"initialize",
        "params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"mcpproxyfast","version":"1"}}}
        """;

    private const string Discover = """
        {"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
        "io.modelcontextprotocol/clientInfo":{"name":"mcpproxyfast","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}
        """;

    /// <returns>
    /// The challenge that asks for a token. If the upstream answers 401 without one, a challenge without parameters. Null if it answers successfully and asks
    /// for nothing.
    /// </returns>
    /// <exception cref="OAuthException">The upstream cannot be reached, or does not answer as an MCP server. The message says what was tried.</exception>
    public async Task<Challenge?> AskAsync(Uri target, CancellationToken cancellationToken)
    {
        var log = new DiscoveryLog(logger);
        bool answered = false;
        foreach (Func<HttpRequestMessage> ask in new Func<HttpRequestMessage>[]
        {
            () => Post(target, Initialize, "2025-11-25", "initialize"),
            () => Post(target, Discover, "2026-07-28", "server/discover"),
            () => Get(target),
        })
        {
            using HttpRequestMessage request = ask();
            using HttpResponseMessage response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
            log.Add($"{request.Method} {WellKnown.Origin(target)}{target.AbsolutePath}", response.StatusCode);
            if (Asked(response) is { } challenge)
            {
                return challenge;
            }

            answered |= response.IsSuccessStatusCode;
        }

        return answered ? null : throw log.NothingFound(
            "probe-inconclusive",
            "The target did not answer as an MCP server, and did not ask for a sign-in either.",
            "Check the URL (McpProxyOptions.Target). If it is right, name the authorization server that issues its tokens (OAuthPolicy.Server).");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string asked = $"{request.Method} {Printable.Url(request.RequestUri!.AbsoluteUri)}";
        try
        {
            return await http.Invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            throw failure.Saying(
                $"The target could not be asked whether it wants a sign-in ({asked}): {failure.Message} Check its URL (McpProxyOptions.Target).");
        }
    }

    private static Challenge? Asked(HttpResponseMessage response)
    {
        // The raw values are read: `Headers.WwwAuthenticate` leaves out values that .NET's own parser does not accept.
        IEnumerable<string> values = response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out HeaderStringValues raw) ? raw : [];
        Challenge? challenge = Challenge.Choose(values);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => challenge ?? new Challenge("Bearer", new Dictionary<string, string>()),
            HttpStatusCode.Forbidden when challenge?.Error == "insufficient_scope" => challenge,
            _ => null,
        };
    }

    private static HttpRequestMessage Post(Uri target, string body, string revision, string method)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StringContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Headers.Add("MCP-Protocol-Version", revision);
        request.Headers.Add("Mcp-Method", method);
        return request;
    }

    private static HttpRequestMessage Get(Uri target)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.Add("Accept", "text/event-stream");
        return request;
    }
}
