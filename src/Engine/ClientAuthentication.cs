namespace McpProxyFast;

/// <summary>How a client shows who it is at the token endpoint: by a secret or by a key (RFC 6749 §2.3, RFC 7523 §2.2).</summary>
public sealed record ClientAuthentication
{
    private ClientAuthentication(string? secretValue, string? keyPath)
    {
        SecretValue = secretValue;
        KeyPath = keyPath;
    }

    /// <summary>The secret; null if it is a key.</summary>
    internal string? SecretValue { get; }

    /// <summary>The file with the key; null if it is a secret.</summary>
    internal string? KeyPath { get; }

    /// <summary>A secret, sent in the way that the server supports.</summary>
    /// <param name="secret">The secret.</param>
    /// <returns>The authentication.</returns>
    /// <exception cref="ArgumentException">The secret is empty.</exception>
    public static ClientAuthentication Secret(string secret) => new(PolicyValue.NotEmpty(secret, nameof(secret)), keyPath: null);

    /// <summary>A private key, for <c>private_key_jwt</c> (RFC 7523 §2.2).</summary>
    /// <param name="path">A PEM file, read at each use.</param>
    /// <returns>The authentication.</returns>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ClientAuthentication KeyFile(string path) => new(secretValue: null, PolicyValue.NotEmpty(path, nameof(path)));

    /// <summary>Says which it is, never the secret.</summary>
    /// <returns>A word or two.</returns>
    public override string ToString() => KeyPath is null ? "secret" : $"key in {KeyPath}";
}
