namespace McpProxyFast.Cli;

/// <summary>Replaces the names of the engine's options in a message with the flags that set them, since a user of the command knows only the flags.</summary>
internal static class OptionNames
{
    /// <summary>Each option that a message of the engine names, and the flag or variable that sets it.</summary>
    private static readonly (string Option, string Flag)[] Names =
    [
        ("ClaimsPolicy.Audiences", "--oidc-audience"),
        ("McpProxyOptions.AddedFields", "--remote-forward-headers"),
        ("McpProxyOptions.AllowedHosts", "--allowed-hosts"),
        ("McpProxyOptions.AllowedOrigins", "--allowed-origins"),
        ("McpProxyOptions.Outgoing", "--remote-auth"),
        ("McpProxyOptions.Target", "--target-uri"),
        ("McpProxyOptions.TrustedCertificates", "--ca-file"),
        ("AuthorizationCode.CallbackPort", "--remote-auth-callback-port"),
        ("AuthorizationCode.ScopeParameter", "--remote-auth-scope-param-name"),
        ("CredentialStoreFile.Key", "MCPPROXYFAST_STORE_KEY"),
        ("KnownClient.Id", "--remote-auth-client-id"),
        ("OAuthPolicy.Grant", "--remote-auth-grant"),
        ("OAuthPolicy.Resource", "--remote-auth-resource"),
        ("OAuthPolicy.Scopes", "--remote-auth-scopes"),
        ("OAuthPolicy.Server", "--remote-auth-issuer"),
        ("OAuthPolicy.TokenEndpointAuthMethod", "--remote-auth-client-auth"),
        ("OAuthPolicy.Store", "--remote-auth-store"),
        ("ProxyLimits.ConnectTimeout", "--connect-timeout"),
        ("ProxyLimits.DrainTimeout", "--drain-timeout"),
        ("ProxyLimits.MaxConnections", "--max-connections"),
        ("ProxyLimits.ResponseTimeout", "--response-timeout"),
    ];

    /// <summary>Returns the text with flags in place of options.</summary>
    public static string ToFlags(string text)
    {
        foreach ((string option, string flag) in Names)
        {
            text = text.Replace(option, flag, StringComparison.Ordinal);
        }

        return text;
    }
}
