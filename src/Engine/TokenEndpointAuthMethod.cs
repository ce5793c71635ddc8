namespace McpProxyFast;

/// <summary>
/// How a client sends its secret to the token endpoint (RFC 6749 §2.3.1). A client that registers itself also registers this method (RFC 7591 §2).
/// </summary>
public enum TokenEndpointAuthMethod
{
    /// <summary>As the server's metadata says (<c>token_endpoint_auth_methods_supported</c>); without that, in the Authorization field.</summary>
    Automatic,

    /// <summary>In the Authorization field: <c>client_secret_basic</c>.</summary>
    Basic,

    /// <summary>In the form: <c>client_secret_post</c>. Some servers accept only this and do not say so in their metadata.</summary>
    Post,

    /// <summary>Not at all: <c>none</c>, with the client id in the form.</summary>
    None,
}
