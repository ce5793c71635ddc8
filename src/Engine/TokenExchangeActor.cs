namespace McpProxyFast;

/// <summary>The party that acts for the subject (RFC 8693 §1.1). Its token is sent as <c>actor_token</c>.</summary>
/// <remarks>There are two kinds: a token that the proxy obtains itself (<see cref="Of"/>), and a token in a file (<see cref="File"/>).</remarks>
public abstract record TokenExchangeActor
{
    private protected TokenExchangeActor()
    {
    }

    /// <summary>The kind of the actor's token.</summary>
    /// <value>Default <see cref="ExchangedTokenType.AccessToken"/>.</value>
    public ExchangedTokenType TokenType { get; init; } = ExchangedTokenType.AccessToken;

    /// <summary>The policy that provides the token. It is internal, so that other assemblies cannot derive from this record.</summary>
    internal abstract OutgoingPolicy Source { get; }

    /// <summary>Whether the proxy obtains the token itself. Then the subject must be the caller's token.</summary>
    internal virtual bool IsLogin => false;

    /// <summary>Uses a token that the proxy obtains with another policy.</summary>
    /// <param name="login">The policy that obtains the token. It must not be a token exchange.</param>
    /// <returns>The actor.</returns>
    public static TokenExchangeActor Of(OutgoingPolicy login) => new LoginsToken(login);

    /// <summary>Uses a token in a file. The file is read again when it changes.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The actor.</returns>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static TokenExchangeActor File(string path) => new FilesToken(path);

    private sealed record LoginsToken(OutgoingPolicy Login) : TokenExchangeActor
    {
        internal override OutgoingPolicy Source => Login;

        internal override bool IsLogin => true;
    }

    private sealed record FilesToken(string Path) : TokenExchangeActor
    {
        internal override OutgoingPolicy Source { get; } = OutgoingPolicy.BearerFile(Path);
    }
}
