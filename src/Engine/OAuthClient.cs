namespace McpProxyFast;

/// <summary>The proxy's client at the authorization server.</summary>
/// <remarks>
/// The kinds are a client that registers itself (<see cref="Registered"/>), one that is described by a document (<see cref="Described"/>) and one that was
/// registered beforehand (<see cref="KnownClient"/>). There are no others.
/// </remarks>
public abstract record OAuthClient
{
    private protected OAuthClient()
    {
    }

    /// <summary>A client that registers itself at the first sign-in (RFC 7591).</summary>
    public static OAuthClient Registered { get; } = new SelfRegistered();

    /// <summary>Tells its credentials in the store from another client's, so it must stay as it is. Being internal, it closes the list of kinds.</summary>
    internal abstract string StoreName { get; }

    /// <summary>A client whose id is the URL of a metadata document; registers itself if the server does not support that.</summary>
    /// <param name="metadataUrl">The document's https URL.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">The URL is not https, or has no path.</exception>
    public static OAuthClient Described(string metadataUrl) => new DescribedByDocument(PolicyValue.Checked(
        metadataUrl,
        UrlRule.Parse(metadataUrl) is { Scheme: "https", AbsolutePath.Length: > 1 },
        nameof(metadataUrl),
        "The client metadata URL must be an https URL with a path."));

    /// <summary>The client that is made by <see cref="Registered"/>.</summary>
    internal sealed record SelfRegistered : OAuthClient
    {
        internal override string StoreName => "";
    }

    /// <summary>The client that is made by <see cref="Described"/>.</summary>
    internal sealed record DescribedByDocument(string Url) : OAuthClient
    {
        internal override string StoreName => Url;
    }
}

/// <summary>A client that was registered beforehand.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Authentication">How it shows who it is; null for a public client, which cannot.</param>
/// <exception cref="ArgumentException">The id is empty.</exception>
public sealed record KnownClient(string Id, ClientAuthentication? Authentication = null) : OAuthClient
{
    /// <summary>Its id.</summary>
    /// <exception cref="ArgumentException">It is empty.</exception>
    public string Id { get; init => field = PolicyValue.NotEmpty(value, nameof(Id)); } = PolicyValue.NotEmpty(Id, nameof(Id));

    /// <inheritdoc/>
    internal override string StoreName => Id;
}
