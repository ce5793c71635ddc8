using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpProxyFast.Cli.Demo;

/// <summary>
/// A small MCP server on loopback for the verb <c>demo</c>. It accepts only POST, has no sessions, and supports every revision since 2025-03-26, the first with
/// this kind of HTTP endpoint.
/// </summary>
internal sealed class DemoServer : IDisposable
{
    /// <summary>The largest <c>Content-Length</c> of a request that is accepted, in bytes. It equals the proxy's default limit.</summary>
    private const int MaxBodyBytes = 8 * 1024 * 1024;

    private static readonly JsonDocumentOptions UniqueKeys = new() { AllowDuplicateProperties = false };

    private readonly HttpListener _listener;

    private DemoServer(HttpListener listener, Uri address)
    {
        _listener = listener;
        Address = address;
    }

    /// <summary>The URL of the server.</summary>
    public Uri Address { get; }

    /// <summary>Starts listening on a free port of loopback.</summary>
    /// <exception cref="FailedException">No port was free.</exception>
    public static DemoServer Start()
    {
        // HttpListener cannot ask the system for a free port. So a free port is looked up first. If another program takes it meanwhile, another port is tried.
        for (int attempt = 0; attempt < 10; attempt++)
        {
            var address = new Uri($"http://127.0.0.1:{FreePort.Find()}/");
            var listener = new HttpListener { Prefixes = { address.AbsoluteUri } };
            try
            {
                listener.Start();
                return new DemoServer(listener, address);
            }
            catch (HttpListenerException)
            {
                listener.Close();
            }
        }

        throw new FailedException("no port is free for the demo's server");
    }

    /// <summary>Answers requests until <paramref name="stopping"/> is cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await using CancellationTokenRegistration stop = stopping.Register(_listener.Stop);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                _ = AnswerAsync(context, stopping);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException && stopping.IsCancellationRequested)
            {
                // The listener was stopped, which ends the wait for a request with this exception.
                return;
            }
        }
    }

    public void Dispose() => _listener.Close();

    private static async Task AnswerAsync(HttpListenerContext context, CancellationToken stopping)
    {
        try
        {
            await AnswerPostAsync(context.Request, context.Response, stopping);
            context.Response.Close();
        }
        catch (Exception e) when (e is IOException or HttpListenerException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has closed the connection, which is how it cancels a request without a session; or the demo is stopping.
            context.Response.Abort();
        }
    }

    private static async Task AnswerPostAsync(HttpListenerRequest request, HttpListenerResponse response, CancellationToken stopping)
    {
        if (request.HttpMethod != "POST")
        {
            response.StatusCode = (int)HttpStatusCode.MethodNotAllowed;
            response.AddHeader("Allow", "POST");
            return;
        }

        if (await ReadMessageAsync(request, stopping) is not { } message)
        {
            response.StatusCode = (int)HttpStatusCode.BadRequest;
            await WriteJsonAsync(response, JsonRpc.Error(null, JsonRpc.ParseError, "The body is not a JSON-RPC message."), stopping);
        }
        else if (message["id"] is null)
        {
            response.StatusCode = (int)HttpStatusCode.Accepted;
        }
        else if (DemoTools.IsStreamed(message))
        {
            await StreamAsync(response, message, stopping);
        }
        else
        {
            JsonObject answer = DemoMethods.Answer(message);
            response.StatusCode = (int)DemoMethods.StatusOf(message, answer);
            await WriteJsonAsync(response, answer, stopping);
        }
    }

    private static async Task<JsonObject?> ReadMessageAsync(HttpListenerRequest request, CancellationToken stopping)
    {
        if (request.ContentLength64 > MaxBodyBytes)
        {
            return null;
        }

        try
        {
            return await JsonNode.ParseAsync(request.InputStream, documentOptions: UniqueKeys, cancellationToken: stopping) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task WriteJsonAsync(HttpListenerResponse response, JsonObject message, CancellationToken stopping)
    {
        byte[] body = Encoding.UTF8.GetBytes(message.ToJsonString());
        response.ContentType = "application/json";
        response.ContentLength64 = body.Length;
        await response.OutputStream.WriteAsync(body, stopping);
    }

    private static async Task StreamAsync(HttpListenerResponse response, JsonObject message, CancellationToken stopping)
    {
        response.ContentType = "text/event-stream";
        response.AddHeader("Cache-Control", "no-cache");
        response.SendChunked = true;
        await foreach (JsonObject part in DemoTools.CountAsync(message, stopping))
        {
            await response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes($"event: message\ndata: {part.ToJsonString()}\n\n"), stopping);
            await response.OutputStream.FlushAsync(stopping);
        }
    }
}
