namespace McpProxyFast;

/// <summary>Which token is exchanged.</summary>
/// <remarks>
/// There are two kinds: the caller's own token (<see cref="Caller"/>), and a token that the proxy obtains itself (<see cref="Of"/>).
/// </remarks>
public abstract record TokenExchangeSubject
{
    private protected TokenExchangeSubject()
    {
    }

    /// <summary>The token that each caller sends. If <see cref="McpProxyOptions.Incoming"/> is set, the token is checked before it is exchanged.</summary>
    public static TokenExchangeSubject Caller { get; } = new CallersToken();

    /// <summary>Whether the caller's token is exchanged.</summary>
    public bool IsCaller => Login is null;

    /// <summary>
    /// The policy that provides the token; null if the caller's token is exchanged. The property is internal, so that other assemblies cannot derive from this
    /// record.
    /// </summary>
    internal abstract OutgoingPolicy? Login { get; }

    /// <summary>Uses a token that the proxy obtains with another policy. It is the same for all callers.</summary>
    /// <param name="login">The policy that obtains the token. It must not be a token exchange.</param>
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
