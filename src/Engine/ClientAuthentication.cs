namespace McpProxyFast;

/// <summary>How a client authenticates at the token endpoint: with a secret or with a key (RFC 6749 §2.3, RFC 7523 §2.2).</summary>
public sealed record ClientAuthentication
{
    private ClientAuthentication(string? secretValue, string? keyPath)
    {
        SecretValue = secretValue;
        KeyPath = keyPath;
    }

    /// <summary>The secret; null if the client uses a key.</summary>
    internal string? SecretValue { get; }

    /// <summary>The path of the file with the key; null if the client uses a secret.</summary>
    internal string? KeyPath { get; }

    /// <summary>Authenticates with a secret. How the secret is sent is set by <see cref="OAuthPolicy.TokenEndpointAuthMethod"/>.</summary>
    /// <param name="secret">The secret.</param>
    /// <returns>The authentication.</returns>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public static ClientAuthentication Secret(string secret) => new(PolicyValue.NotEmpty(secret, nameof(secret)), keyPath: null);

    /// <summary>Authenticates with a private key: <c>private_key_jwt</c> (RFC 7523 §2.2).</summary>
    /// <param name="path">The path of a PEM file, which is read at each use.</param>
    /// <returns>The authentication.</returns>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ClientAuthentication KeyFile(string path) => new(secretValue: null, PolicyValue.NotEmpty(path, nameof(path)));

    /// <summary>Returns the kind of authentication: the word "secret", or the path of the key file. Never the secret itself.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => KeyPath is null ? "secret" : $"key in {KeyPath}";
}
