namespace McpProxyFast;

/// <summary>
/// How a client sends its secret to the token endpoint (RFC 6749 §2.3.1). A client that registers itself registers for this method (RFC 7591 §2).
/// </summary>
public enum TokenEndpointAuthMethod
{
    /// <summary>
    /// In a way that the server's metadata lists (<c>token_endpoint_auth_methods_supported</c>). If the metadata lists none, in the Authorization field.
    /// </summary>
    Automatic,

    /// <summary>In the Authorization field: <c>client_secret_basic</c>.</summary>
    Basic,

    /// <summary>In the body of the request: <c>client_secret_post</c>. Some servers accept only this and do not say so in their metadata.</summary>
    Post,

    /// <summary>The secret is not sent (<c>none</c>); the client id is in the body of the request.</summary>
    None,
}
