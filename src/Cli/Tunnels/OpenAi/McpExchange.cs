using System.Globalization;
using System.Text;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>One request to the MCP server, by the proxy in this process: credentials, limits, look-ups, TLS and who may come in are the proxy's.</summary>
/// <remarks>Written by hand, since HttpClient joins the values of a field by commas, which a command's must never be.</remarks>
internal sealed class McpExchange : IDisposable
{
    /// <summary>What is said of the connections: which hosts are asked for is no matter, as no page can reach them.</summary>
    private static readonly ClientConnectionInfo Info = new() { AllowedHosts = ["*"] };

    /// <summary>Fields that belong to a connection or frame a message, and are not the command's to set.</summary>
    private static readonly string[] NotTheirs =
    [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Proxy-Authenticate",
        "Proxy-Authorization", "Proxy-Connection",
    ];

    private readonly MemoryConnection _connection;

    /// <summary>Cancelled with the exchange, so that the proxy ends it at once.</summary>
    private readonly CancellationTokenSource _over = new();

    private McpExchange(MemoryConnection connection) => _connection = connection;

    /// <summary>Sends a request.</summary>
    /// <param name="proxy">Carries it.</param>
    /// <param name="target">The MCP server.</param>
    /// <param name="method">POST or DELETE.</param>
    /// <param name="headers">The command's.</param>
    /// <param name="message">The body; empty for none.</param>
    /// <param name="cancel">Ends the exchange.</param>
    /// <returns>The exchange; null where a field is none that HTTP could carry.</returns>
    public static async Task<McpExchange?> SendAsync(
        McpProxy proxy, Uri target, string method, IReadOnlyList<(string Name, string Value)> headers, ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        if (!headers.All(header => IsName(header.Name) && IsValue(header.Value)))
        {
            return null;
        }

        var connection = new MemoryConnection();
        var exchange = new McpExchange(connection);
        _ = proxy.ServeAsync(connection.Server, Info, exchange._over.Token);
        try
        {
            byte[] head = Encoding.Latin1.GetBytes(Head(target, method, headers, message.Length));
            await connection.Client.Output.WriteAsync(head, cancel);
            if (!message.IsEmpty)
            {
                await connection.Client.Output.WriteAsync(message, cancel);
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
    /// <returns>Null where the connection ends before there is one.</returns>
    public Task<McpResponse?> ResponseAsync(CancellationToken cancel) => McpResponse.ReadAsync(_connection, cancel);

    /// <summary>Ends the exchange, which for MCP is its cancellation where no answer has come.</summary>
    public void Dispose()
    {
        _connection.Client.Output.Complete();
        _connection.Client.Input.Complete();
        _over.Cancel();
        _over.Dispose();
    }

    private static string Head(Uri target, string method, IReadOnlyList<(string Name, string Value)> headers, int length)
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

    // token, RFC 9110 §5.6.2
    private static bool IsName(string name) =>
        name.Length > 0 && name.All(character => char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character, StringComparison.Ordinal));

    private static bool IsValue(string value) => value.All(character => character is (>= ' ' or '\t') and not '\x7f' and <= '\xff');
}
