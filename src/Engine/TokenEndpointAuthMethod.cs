namespace McpProxyFast;

/// <summary>How a client sends its secret to the token endpoint (RFC 6749 §2.3.1); one that registers itself also registers so (RFC 7591 §2).</summary>
public enum TokenEndpointAuthMethod
{
    /// <summary>As the server's metadata says (<c>token_endpoint_auth_methods_supported</c>); if it says nothing, in the Authorization field.</summary>
    Automatic,

    /// <summary>In the Authorization field: <c>client_secret_basic</c>.</summary>
    Basic,

    /// <summary>In the form: <c>client_secret_post</c>. Some servers take it nowhere else, and say nothing of it.</summary>
    Post,

    /// <summary>Not at all: <c>none</c>, with the client id in the form.</summary>
    None,
}
