namespace McpProxyFast.Outcomes;

/// <summary>What an operator can do about a fault: a sentence for the log, which clients are not told.</summary>
internal static class FaultAdvice
{
    /// <returns>Empty where there is nothing to advise.</returns>
    public static string For(FaultReason reason) => reason switch
    {
        FaultReason.UpstreamNameUnresolved => "Check the host in McpProxyOptions.Target, and this machine's name service.",
        FaultReason.UpstreamNameTimeout => "Check this machine's name service, which took too long; an address in McpProxyOptions.Target needs none.",
        FaultReason.UpstreamUnreachable => "Check that the MCP server runs, and that McpProxyOptions.Target has its host and port.",
        FaultReason.UpstreamTlsFailed =>
            "If an authority of your own has issued the server's certificate, add it to McpProxyOptions.TrustedCertificates; "
            + "if the server speaks plain HTTP, McpProxyOptions.Target begins with http.",
        FaultReason.UpstreamConnectTimeout =>
            "Check that host and port in McpProxyOptions.Target can be reached from this machine; ProxyLimits.ConnectTimeout is how long that may take.",
        FaultReason.UpstreamClosedEarly => "The MCP server's own log may say why; if it speaks TLS on this port, McpProxyOptions.Target begins with https.",
        FaultReason.UpstreamResponseTimeout => "ProxyLimits.ResponseTimeout is how long the MCP server may take.",
        _ => "",
    };
}
