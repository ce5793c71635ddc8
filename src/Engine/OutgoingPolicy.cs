namespace McpProxyFast;

/// <summary>Which credential the proxy sends to the upstream, and how the proxy obtains it.</summary>
/// <remarks>
/// The kinds are a token that never changes (<see cref="Bearer"/>), a token in a file (<see cref="BearerFile"/>), a host's own source (<see cref="From"/>),
/// OAuth (<see cref="OAuthPolicy"/>) and token exchange (<see cref="TokenExchangePolicy"/>).
/// </remarks>
public abstract record OutgoingPolicy
{
    private protected OutgoingPolicy()
    {
    }

    /// <summary>A description for logs, without secrets. It is internal, so that other assemblies cannot derive from this record.</summary>
    internal abstract string Description { get; }

    /// <summary>A token that never changes, sent as <c>Authorization: Bearer</c>.</summary>
    /// <param name="token">The token, without a scheme.</param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentException">The token is not one word of visible ASCII.</exception>
    public static OutgoingPolicy Bearer(string token) => new FixedToken(PolicyValue.Checked(
        token, PolicyValue.IsWord(token), nameof(token), "The bearer token must be one word of visible ASCII, without its scheme."));

    /// <summary>
    /// A token in a file, sent as <c>Authorization: Bearer</c>. The file is read again when it changes; white space around the token is ignored.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static OutgoingPolicy BearerFile(string path) => new TokenFile(PolicyValue.NotEmpty(path, nameof(path)));

    /// <summary>A credential that the host program provides.</summary>
    /// <param name="source">The host program's source of the credential.</param>
    /// <returns>The policy.</returns>
    public static OutgoingPolicy From(ICredentialSource source) => new HostSource(source);

    /// <summary>
    /// OAuth with the defaults of <see cref="OAuthPolicy"/>: the target names the authorization server, and a person signs in with a browser.
    /// </summary>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    public static OAuthPolicy OAuth() => new();

    /// <summary>Checks whether the settings fit together. A <see cref="McpProxy"/> does this too when it is created.</summary>
    /// <exception cref="ArgumentException">Two settings do not fit together; <see cref="ArgumentException.ParamName"/> names one of them.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>Returns the kind of the policy, without secrets.</summary>
    /// <returns>A short text.</returns>
    public sealed override string ToString() => Description;

    /// <summary>The policy that is created by <see cref="Bearer"/>.</summary>
    internal sealed record FixedToken(string Token) : OutgoingPolicy
    {
        internal override string Description => "bearer";
    }

    /// <summary>The policy that is created by <see cref="BearerFile"/>.</summary>
    internal sealed record TokenFile(string Path) : OutgoingPolicy
    {
        internal override string Description => "bearer";
    }

    /// <summary>The policy that is created by <see cref="From"/>.</summary>
    internal sealed record HostSource(ICredentialSource Source) : OutgoingPolicy
    {
        internal override string Description => "host's own";
    }
}
