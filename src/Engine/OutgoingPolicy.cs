namespace McpProxyFast;

/// <summary>Which credential the proxy sends to the upstream, and how it gets it.</summary>
/// <remarks>
/// The kinds are a token that never changes (<see cref="Bearer"/>), a token in a file (<see cref="BearerFile"/>), a host's own source
/// (<see cref="From"/>) and OAuth (<see cref="OAuthPolicy"/>). There are no others.
/// </remarks>
public abstract record OutgoingPolicy
{
    private protected OutgoingPolicy()
    {
    }

    /// <summary>What the policy is about, without a secret. Being internal, it closes the list of kinds.</summary>
    internal abstract string Description { get; }

    /// <summary>A token that never changes, sent as <c>Authorization: Bearer</c>.</summary>
    /// <param name="token">The token, without a scheme.</param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentException">The token is not one word of visible ASCII.</exception>
    public static OutgoingPolicy Bearer(string token) => new FixedToken(PolicyValue.Checked(
        token, PolicyValue.IsWord(token), nameof(token), "The bearer token must be one word of visible ASCII, without its scheme."));

    /// <summary>Such a token in a file, which is read again when it changes; blanks around the token are ignored.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static OutgoingPolicy BearerFile(string path) => new TokenFile(PolicyValue.NotEmpty(path, nameof(path)));

    /// <summary>A host's own source.</summary>
    /// <param name="source">The source.</param>
    /// <returns>The policy.</returns>
    public static OutgoingPolicy From(ICredentialSource source) => new HostSource(source);

    /// <summary>OAuth in which everything is discovered from the target, and a person signs in with a browser.</summary>
    /// <returns>A policy to refine with <c>with</c>.</returns>
    public static OAuthPolicy OAuth() => new();

    /// <summary>Checks what only the whole policy shows. A <see cref="McpProxy"/> does so too when it is made.</summary>
    /// <exception cref="ArgumentException">Two settings do not fit together; <see cref="ArgumentException.ParamName"/> is the property at fault.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>Says which kind it is, without a secret.</summary>
    /// <returns>A few words.</returns>
    public sealed override string ToString() => Description;

    /// <summary>The policy that is made by <see cref="Bearer"/>.</summary>
    internal sealed record FixedToken(string Token) : OutgoingPolicy
    {
        internal override string Description => "bearer";
    }

    /// <summary>The policy that is made by <see cref="BearerFile"/>.</summary>
    internal sealed record TokenFile(string Path) : OutgoingPolicy
    {
        internal override string Description => "bearer";
    }

    /// <summary>The policy that is made by <see cref="From"/>.</summary>
    internal sealed record HostSource(ICredentialSource Source) : OutgoingPolicy
    {
        internal override string Description => "host's own";
    }
}
