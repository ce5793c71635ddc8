namespace McpProxyFast;

/// <summary>Who acts for the subject (RFC 8693 §1.1): the token that travels as <c>actor_token</c>.</summary>
/// <remarks>The kinds are the token of a login of the proxy's (<see cref="Of"/>) and a token in a file (<see cref="File"/>). There are no others.</remarks>
public abstract record TokenExchangeActor
{
    private protected TokenExchangeActor()
    {
    }

    /// <summary>What kind of token it is.</summary>
    /// <value>Default <see cref="ExchangedTokenType.AccessToken"/>.</value>
    public ExchangedTokenType TokenType { get; init; } = ExchangedTokenType.AccessToken;

    /// <summary>What gives the token. Being internal, it closes the list of kinds.</summary>
    internal abstract OutgoingPolicy Source { get; }

    /// <summary>Whether the token comes from a login, so that it cannot be the subject's as well.</summary>
    internal virtual bool IsLogin => false;

    /// <summary>The token that another policy would send.</summary>
    /// <param name="login">That policy, which is not an exchange itself.</param>
    /// <returns>The actor.</returns>
    public static TokenExchangeActor Of(OutgoingPolicy login) => new LoginsToken(login);

    /// <summary>A token in a file, which is read again when it changes.</summary>
    /// <param name="path">The file.</param>
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
