namespace McpProxyFast;

/// <summary>Whose token is exchanged.</summary>
/// <remarks>The kinds are the caller's own token (<see cref="Caller"/>) and that of a login of the proxy's (<see cref="Of"/>). There are no others.</remarks>
public abstract record TokenExchangeSubject
{
    private protected TokenExchangeSubject()
    {
    }

    /// <summary>The token with which each caller comes. If <see cref="McpProxyOptions.Incoming"/> is set, one that has been checked.</summary>
    public static TokenExchangeSubject Caller { get; } = new CallersToken();

    /// <summary>Whether it is the caller's.</summary>
    public bool IsCaller => Login is null;

    /// <summary>What else gives the token; null for the caller. Being internal, it closes the list of kinds.</summary>
    internal abstract OutgoingPolicy? Login { get; }

    /// <summary>The token that another policy would send, the same for all callers.</summary>
    /// <param name="login">That policy, which is not an exchange itself.</param>
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
