namespace McpProxyFast.Outcomes;

/// <summary>Says what an operator can do about a fault. The sentence is only for the log; clients do not get it.</summary>
internal static class FaultAdvice
{
    /// <returns>The sentence; empty if there is no advice.</returns>
    public static string For(FaultReason reason) => reason switch
    {
        FaultReason.UpstreamNameUnresolved => "Check the host in McpProxyOptions.Target, and this machine's DNS settings.",
        FaultReason.UpstreamNameTimeout => "DNS took too long: check this machine's DNS settings. An IP address in McpProxyOptions.Target needs no look-up.",
        FaultReason.UpstreamUnreachable => "Check that the MCP server runs, and that McpProxyOptions.Target has the server's host and port.",
        FaultReason.UpstreamTlsFailed =>
            "If the server's certificate was issued by your own certificate authority, add that authority to McpProxyOptions.TrustedCertificates. "
            + "If the server speaks plain HTTP, let McpProxyOptions.Target begin with http:.",
        FaultReason.UpstreamConnectTimeout =>
            "Check that this machine can reach the host and port in McpProxyOptions.Target. ProxyLimits.ConnectTimeout sets how long connecting may take.",
        FaultReason.UpstreamClosedEarly =>
            "The MCP server's own log may say why. If the server speaks TLS on this port, let McpProxyOptions.Target begin with https:.",
        FaultReason.UpstreamResponseTimeout =>
            "Check that the MCP server works and reads what it is sent. ProxyLimits.ResponseTimeout sets how long it may take to answer.",
        _ => "",
    };
}
