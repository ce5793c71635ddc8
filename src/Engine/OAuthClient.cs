namespace McpProxyFast;

/// <summary>The OAuth client with which the proxy identifies itself to the authorization server.</summary>
/// <remarks>
/// There are three kinds: a client that registers itself (<see cref="Registered"/>), one that is described by a document (<see cref="Described"/>) and one that
/// was registered beforehand (<see cref="KnownClient"/>).
/// </remarks>
public abstract record OAuthClient
{
    private protected OAuthClient()
    {
    }

    /// <summary>A client that registers itself at the first sign-in (RFC 7591).</summary>
    public static OAuthClient Registered { get; } = new SelfRegistered();

    /// <summary>
    /// The client's name in the keys of the credential store, where it separates the credentials of different clients. So it must never change. The property is
    /// internal, so that other assemblies cannot derive from this record.
    /// </summary>
    internal abstract string StoreName { get; }

    /// <summary>
    /// A client whose id is the URL of its metadata document. If the authorization server does not support such ids, the client registers itself.
    /// </summary>
    /// <param name="metadataUrl">The document's https URL.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">The URL is not https, or has no path.</exception>
    public static OAuthClient Described(string metadataUrl) => new DescribedByDocument(PolicyValue.Checked(
        metadataUrl,
        UrlRule.Parse(metadataUrl) is { Scheme: "https", AbsolutePath.Length: > 1 },
        nameof(metadataUrl),
        "The client metadata URL must be an https URL with a path."));

    /// <summary>The client that is created by <see cref="Registered"/>.</summary>
    internal sealed record SelfRegistered : OAuthClient
    {
        internal override string StoreName => "";
    }

    /// <summary>The client that is created by <see cref="Described"/>.</summary>
    internal sealed record DescribedByDocument(string Url) : OAuthClient
    {
        internal override string StoreName => Url;
    }
}

/// <summary>A client that was registered beforehand.</summary>
/// <param name="Id">The client's id.</param>
/// <param name="Authentication">How the client authenticates; null for a public client, which does not authenticate.</param>
/// <exception cref="ArgumentException">The id is empty.</exception>
public sealed record KnownClient(string Id, ClientAuthentication? Authentication = null) : OAuthClient
{
    /// <summary>The client's id.</summary>
    /// <exception cref="ArgumentException">The id is empty.</exception>
    public string Id { get; init => field = PolicyValue.NotEmpty(value, nameof(Id)); } = PolicyValue.NotEmpty(Id, nameof(Id));

    /// <inheritdoc/>
    internal override string StoreName => Id;
}
