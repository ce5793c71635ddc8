namespace McpProxyFast.OAuth.Net;

/// <summary>What can be done about a failure.</summary>
internal enum OAuthFailure
{
    /// <summary>Nothing by itself: a setting or a server has to change.</summary>
    Refused,

    /// <summary>The same again, later: the network, 408, 429, 5xx, an answer that is not JSON.</summary>
    Transient,

    /// <summary>A new sign-in: the grant is used up (<c>invalid_grant</c>).</summary>
    GrantLost,

    /// <summary>A new registration: the server does not know the client (<c>invalid_client</c>).</summary>
    ClientUnknown,
}
