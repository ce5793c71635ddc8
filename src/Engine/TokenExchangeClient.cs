namespace McpProxyFast;

/// <summary>The proxy's OAuth client at the server that exchanges tokens, and how the client authenticates.</summary>
public sealed record TokenExchangeClient
{
    private TokenExchangeClient(Form kind, string id, string? secretValue = null, string? keyPath = null)
    {
        Kind = kind;
        Id = id;
        SecretValue = secretValue;
        KeyPath = keyPath;
    }

    internal enum Form
    {
        /// <summary>The id is sent in the body; there is no secret.</summary>
        Public,

        /// <summary>Id and secret are sent as HTTP Basic.</summary>
        Basic,

        /// <summary>Id and secret are sent in the body.</summary>
        Post,

        /// <summary>An assertion is sent, which is signed with a private key.</summary>
        Key,
    }

    internal Form Kind { get; }

    internal string Id { get; }

    /// <summary>The client's secret; null if the client authenticates without a secret.</summary>
    internal string? SecretValue { get; }

    /// <summary>The path of the file with the private key; null if the client authenticates without a key.</summary>
    internal string? KeyPath { get; }

    /// <summary>A public client: it sends only its id.</summary>
    /// <param name="id">The client's id.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">The id is empty.</exception>
    public static TokenExchangeClient Public(string id) => new(Form.Public, PolicyValue.NotEmpty(id, nameof(id)));

    /// <summary>A client with a secret, sent as HTTP Basic (<c>client_secret_basic</c>).</summary>
    /// <param name="id">The client's id.</param>
    /// <param name="secret">The client's secret.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">The id or the secret is empty.</exception>
    public static TokenExchangeClient Basic(string id, string secret) =>
        new(Form.Basic, PolicyValue.NotEmpty(id, nameof(id)), PolicyValue.NotEmpty(secret, nameof(secret)));

    /// <summary>A client with a secret, sent in the body (<c>client_secret_post</c>).</summary>
    /// <param name="id">The client's id.</param>
    /// <param name="secret">The client's secret.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">The id or the secret is empty.</exception>
    public static TokenExchangeClient Post(string id, string secret) =>
        new(Form.Post, PolicyValue.NotEmpty(id, nameof(id)), PolicyValue.NotEmpty(secret, nameof(secret)));

    /// <summary>A client with a private key (<c>private_key_jwt</c>, RFC 7523 §2.2).</summary>
    /// <param name="id">The client's id.</param>
    /// <param name="keyFile">The path of a PEM file, which is read at each use.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">The id or the path is empty.</exception>
    public static TokenExchangeClient Key(string id, string keyFile) =>
        new(Form.Key, PolicyValue.NotEmpty(id, nameof(id)), keyPath: PolicyValue.NotEmpty(keyFile, nameof(keyFile)));

    /// <summary>Returns the id and the kind of authentication, never the secret.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => $"{Id}, {Kind}";
}
