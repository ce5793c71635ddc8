using System.Text.Json;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>What is told of an MCP exchange that gave no JSON-RPC answer. Only words of closed lists: no address, no text of an exception, no body.</summary>
/// <param name="Source">Where it failed.</param>
/// <param name="Code">The status of the answer: the server's, or 504 for a time-out and 502 else.</param>
/// <param name="HasResponse">Whether the server had begun to answer.</param>
/// <param name="Status">The server's status, where that is what failed; else null.</param>
internal sealed record TunnelFailure(string Source, int Code, bool HasResponse, int? Status = null)
{
    private const int BadGateway = 502;
    private const int GatewayTimeout = 504;

    /// <summary>The reasons of the proxy's own answers, and what they are called here.</summary>
    private static readonly (string Reason, TunnelFailure Failure)[] Reasons =
    [
        ("upstream-name-unresolved", new("dns", BadGateway, HasResponse: false)),
        ("upstream-name-timeout", new("dns", GatewayTimeout, HasResponse: false)),
        ("upstream-unreachable", new("connect", BadGateway, HasResponse: false)),
        ("upstream-connect-timeout", new("timeout", GatewayTimeout, HasResponse: false)),
        ("upstream-tls-failed", new("tls", BadGateway, HasResponse: false)),
        ("upstream-closed-early", new("transport_closed", BadGateway, HasResponse: false)),
        ("upstream-response-invalid", new("protocol", BadGateway, HasResponse: true)),
        ("upstream-response-timeout", new("timeout", GatewayTimeout, HasResponse: false)),
    ];

    /// <summary>The proxy, or this tunnel, could not do its part.</summary>
    public static TunnelFailure Internal { get; } = new("client_internal", BadGateway, HasResponse: false);

    /// <summary>The server's answer is none, or was cut.</summary>
    public static TunnelFailure Protocol { get; } = new("protocol", BadGateway, HasResponse: true);

    /// <summary>The connection ended before the server answered.</summary>
    public static TunnelFailure Closed { get; } = new("transport_closed", BadGateway, HasResponse: false);

    /// <summary>The server answered with an HTTP error and nothing of JSON-RPC.</summary>
    public static TunnelFailure Http(int status) => new("target_http", status, HasResponse: true, status);

    /// <summary>What an error of the proxy's own says; null where it is the server's.</summary>
    /// <param name="status">The status of the response.</param>
    /// <param name="body">A JSON-RPC error.</param>
    public static TunnelFailure? OfProxy(int status, ReadOnlyMemory<byte> body)
    {
        if (status is not (BadGateway or 503 or GatewayTimeout))
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement error = document.RootElement.GetProperty("error");
        string? reason = error.TryGetProperty("data", out JsonElement data) && data.ValueKind is JsonValueKind.Object
            && data.TryGetProperty("reason", out JsonElement text) && text.ValueKind is JsonValueKind.String
            ? text.GetString()
            : null;
        bool isOfCredential = status == 503 && reason is not null
            && (reason.StartsWith("credential-", StringComparison.Ordinal) || reason is "sign-in-pending" or "verdict-unavailable");
        return Array.Find(Reasons, row => row.Reason == reason).Failure ?? (isOfCredential ? Internal : null);
    }
}
