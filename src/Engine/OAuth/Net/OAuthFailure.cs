namespace McpProxyFast.OAuth.Net;

/// <summary>What can help after a failure.</summary>
internal enum OAuthFailure
{
    /// <summary>The proxy can do nothing: a setting, or the server, must be changed.</summary>
    Refused,

    /// <summary>The same request can succeed later. The cause may be the network, 408, 429, 5xx, or an answer that is not JSON.</summary>
    Transient,

    /// <summary>A new sign-in is needed, since the grant no longer works (<c>invalid_grant</c>).</summary>
    GrantLost,

    /// <summary>A new registration of the client is needed, since the server does not know it (<c>invalid_client</c>).</summary>
    ClientUnknown,
}
