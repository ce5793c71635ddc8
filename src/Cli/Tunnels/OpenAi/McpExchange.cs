using System.Buffers;
using System.Globalization;
using System.Text;
using McpProxyFast.Bridge;
using McpProxyFast.Http1;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>One request to the MCP server. It goes through the proxy in this process, which takes care of credentials, limits, DNS and TLS.</summary>
/// <remarks>It does not use HttpClient, which joins several values of a field with commas. The tunnel's protocol forbids that.</remarks>
internal sealed class McpExchange : IDisposable
{
    /// <summary>
    /// The settings of the connections to the proxy. Every <c>Host</c> is allowed: the check is against web pages, which cannot reach a connection in memory.
    /// </summary>
    private static readonly ClientConnectionInfo Info = new() { AllowedHosts = ["*"] };

    /// <summary>The fields that a command cannot set, because they belong to the connection, or say where the message ends.</summary>
    private static readonly string[] NotTheirs =
    [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Proxy-Authenticate",
        "Proxy-Authorization", "Proxy-Connection",
    ];

    private readonly PipeStream _connection;

    /// <summary>Cancelled when the exchange is disposed, so that the proxy closes the connection.</summary>
    private readonly CancellationTokenSource _over = new();

    private McpExchange(McpProxy proxy) => _connection = MemoryConnection.Open(
        end => proxy.ServeAsync(end, Info, _over.Token), takesAtOnce: false);

    /// <summary>Sends a request.</summary>
    /// <param name="proxy">The proxy that sends the request to the MCP server.</param>
    /// <param name="target">The URL of the MCP server.</param>
    /// <param name="method">POST, GET or DELETE.</param>
    /// <param name="headers">The header fields of the request; null if those of the command were too large.</param>
    /// <param name="message">The body; empty if there is none.</param>
    /// <param name="cancel">Cancels the request.</param>
    /// <returns>The exchange; null if the headers were too large, or one of them is not valid in HTTP.</returns>
    public static async Task<McpExchange?> SendAsync(
        McpProxy proxy,
        Uri target,
        string method,
        IReadOnlyList<(string Name, string Value)>? headers,
        ReadOnlySequence<byte> message,
        CancellationToken cancel)
    {
        if (headers?.All(header => Grammar.IsToken(header.Name) && IsValue(header.Value)) is not true)
        {
            return null;
        }

        var exchange = new McpExchange(proxy);
        try
        {
            await exchange._connection.WriteAsync(Encoding.Latin1.GetBytes(Head(target, method, headers, message.Length)), cancel);
            foreach (ReadOnlyMemory<byte> piece in message)
            {
                await exchange._connection.WriteAsync(piece, cancel);
            }

            return exchange;
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the head of the response.</summary>
    /// <returns>The response; null if the connection ends before its head is complete, or the head is not valid.</returns>
    public Task<McpResponse?> ResponseAsync(CancellationToken cancel) => McpResponse.ReadAsync(_connection, cancel);

    /// <summary>Closes the connection. If no answer has come yet, this cancels the MCP request.</summary>
    public void Dispose()
    {
        _connection.Dispose();
        _over.Cancel();
        _over.Dispose();
    }

    private static string Head(Uri target, string method, IReadOnlyList<(string Name, string Value)> headers, long length)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"{method} / HTTP/1.1\r\nHost: {target.Authority}\r\nConnection: close\r\n");
        (string Name, string Value)[] own = length == 0 ? [] :
        [
            ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"), ("Content-Length", $"{length}"),
        ];
        string[] named = [.. headers.Where(header => Is(header, "Connection")).SelectMany(header => header.Value.Split(',', StringSplitOptions.TrimEntries))];
        (string Name, string Value)[] theirs = [.. headers.Where(header => !Contains(NotTheirs, header.Name) && !Contains(named, header.Name))];
        foreach ((string name, string value) in own.Where(field => !theirs.Any(header => Is(header, field.Name))).Concat(theirs))
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        return head.Append("\r\n").ToString();
    }

    private static bool Is((string Name, string Value) header, string name) => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static bool Contains(string[] names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsValue(string value) => value.All(character => character is (>= ' ' or '\t') and not '\x7f' and <= '\xff');
}
