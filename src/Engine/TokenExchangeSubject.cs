namespace McpProxyFast;

/// <summary>Which token is exchanged.</summary>
/// <remarks>
/// There are two kinds: the caller's own token (<see cref="Caller"/>), and the token that the proxy gets by a login of its own (<see cref="Of"/>).
/// </remarks>
public abstract record TokenExchangeSubject
{
    private protected TokenExchangeSubject()
    {
    }

    /// <summary>The token that each caller sends. If <see cref="McpProxyOptions.Incoming"/> is set, it has been checked before.</summary>
    public static TokenExchangeSubject Caller { get; } = new CallersToken();

    /// <summary>Whether the caller's token is exchanged.</summary>
    public bool IsCaller => Login is null;

    /// <summary>The policy that provides the token; null if it is the caller's token. Since it is internal, nobody else can add a kind.</summary>
    internal abstract OutgoingPolicy? Login { get; }

    /// <summary>Uses the token that another policy would send; it is the same for all callers.</summary>
    /// <param name="login">The other policy. It must not be a token exchange.</param>
    /// <returns>The subject.</returns>
    public static TokenExchangeSubject Of(OutgoingPolicy login) => new LoginsToken(login);

    private sealed record CallersToken : TokenExchangeSubject
    {
        internal override OutgoingPolicy? Login => null;
    }

    private sealed record LoginsToken(OutgoingPolicy Policy) : TokenExchangeSubject
    {
        internal override OutgoingPolicy Login => Policy;
    }
}
