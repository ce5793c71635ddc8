using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Grants;

/// <summary>The ways to authenticate at a token endpoint, and which one a server wants.</summary>
internal static class ClientMethod
{
    public const string None = "none";
    public const string Post = "client_secret_post";
    public const string Basic = "client_secret_basic";
    public const string PrivateKeyJwt = "private_key_jwt";

    /// <summary>The method for a client with a secret: the operator's, else from metadata, since a wrong guess would burn the authorization code.</summary>
    /// <remarks>RFC 8414 §2: if the server lists none, it is <c>client_secret_basic</c>.</remarks>
    public static string ForSecret(ServerMetadata server, TokenEndpointAuthMethod wanted) =>
        Given(wanted) is { } given ? given
        : server.TokenEndpointAuthMethodsSupported is { } offered && !offered.Contains(Basic) && offered.Contains(Post) ? Post
        : Basic;

    /// <summary>The method to register with: the operator's, else none at all if the server lets a native application do so (RFC 8252 §8.4).</summary>
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
