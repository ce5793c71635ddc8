using System.Buffers;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Why an MCP request got no JSON-RPC answer. It has only fixed words, so that no address, exception text or body reaches the control plane.</summary>
/// <param name="Source">The part that failed, in the words of the tunnel's protocol.</param>
/// <param name="Code">The <c>resp_code</c>: the server's status; if it sent none, 504 for a timeout and otherwise 502.</param>
/// <param name="HasResponse">Whether the server had started a response.</param>
/// <param name="Status">The error status of the server; null if the server sent none.</param>
internal sealed record TunnelFailure(string Source, int Code, bool HasResponse, int? Status = null)
{
    private const int BadGateway = 502;
    private const int GatewayTimeout = 504;

    /// <summary>The reasons in the proxy's own errors, and the failure that each one means.</summary>
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

    /// <summary>The failure of the proxy or the tunnel itself.</summary>
    public static TunnelFailure Internal { get; } = new("client_internal", BadGateway, HasResponse: false);

    /// <summary>The server's response is not valid MCP, or is incomplete.</summary>
    public static TunnelFailure Protocol { get; } = new("protocol", BadGateway, HasResponse: true);

    /// <summary>The connection closed before the server answered.</summary>
    public static TunnelFailure Closed { get; } = new("transport_closed", BadGateway, HasResponse: false);

    /// <summary>The server answered with an HTTP error that contains no JSON-RPC error.</summary>
    public static TunnelFailure Http(int status) => new("target_http", status, HasResponse: true, status);

    /// <summary>Translates an error that the proxy itself has made. Returns null if the error came from the server.</summary>
    /// <param name="status">The status of the response.</param>
    /// <param name="body">A JSON-RPC error.</param>
    public static TunnelFailure? OfProxy(int status, in ReadOnlySequence<byte> body)
    {
        if (status is not (BadGateway or 503 or GatewayTimeout) || body.Length > BridgeLimits.MaxErrorBytes)
        {
            return null;
        }

        string reason = ErrorAnswer.Of(status, body).Reason;
        bool isOfCredential = reason.StartsWith("credential-", StringComparison.Ordinal)
            || reason is "sign-in-pending" or "verdict-unavailable"
                or "exchange-target-refused" or "exchange-refused" or "exchange-answer-unusable" or "exchange-unavailable";
        return Array.Find(Reasons, row => row.Reason == reason).Failure ?? (isOfCredential ? Internal : null);
    }
}
