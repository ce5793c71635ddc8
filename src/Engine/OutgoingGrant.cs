namespace McpProxyFast;

/// <summary>The ways in which the proxy can obtain a token for the upstream.</summary>
public enum OutgoingGrant
{
    /// <summary>A person signs in with a browser on this machine (RFC 6749 §4.1 with PKCE, RFC 7636).</summary>
    AuthorizationCode,

    /// <summary>A person signs in with a browser on another machine (RFC 8628).</summary>
    DeviceCode,

    /// <summary>The proxy signs in as itself (RFC 6749 §4.4).</summary>
    ClientCredentials,

    /// <summary>The workload shows a token that its platform gave it (RFC 7523 §2.1).</summary>
    JwtBearer,

    /// <summary>An enterprise's identity provider vouches for the person (RFC 8693, then RFC 7523).</summary>
    IdentityAssertion,
}
