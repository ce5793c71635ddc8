using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Chooses the method by which a client authenticates at a token endpoint.</summary>
internal static class ClientMethod
{
    public const string None = "none";
    public const string Post = "client_secret_post";
    public const string Basic = "client_secret_basic";
    public const string PrivateKeyJwt = "private_key_jwt";

    /// <summary>
    /// Returns the method for a client with a secret: the one that the operator has set, or else one from the server's metadata. If the method were wrong, the
    /// token request would fail, and the authorization code would be lost.
    /// </summary>
    /// <remarks>RFC 8414 §2: a server that lists no methods supports <c>client_secret_basic</c>.</remarks>
    public static string ForSecret(ServerMetadata server, TokenEndpointAuthMethod wanted) =>
        Given(wanted) is { } given ? given
        : server.TokenEndpointAuthMethodsSupported is { } offered && !offered.Contains(Basic) && offered.Contains(Post) ? Post
        : Basic;

    /// <summary>
    /// Returns the method to register with: the one that the operator has set, or else <c>none</c> if the server allows that (RFC 8252 §8.4).
    /// </summary>
    public static string ForRegistration(ServerMetadata server, TokenEndpointAuthMethod wanted) =>
        Given(wanted) is { } given ? given
        : server.TokenEndpointAuthMethodsSupported is not { Count: > 0 } offered || offered.Contains(None) ? None
        : offered.Contains(Basic) ? Basic
        : offered.Contains(Post) ? Post
        : None;

    private static string? Given(TokenEndpointAuthMethod wanted) => wanted switch
    {
        TokenEndpointAuthMethod.Basic => Basic,
        TokenEndpointAuthMethod.Post => Post,
        TokenEndpointAuthMethod.None => None,
        _ => null,
    };
}
