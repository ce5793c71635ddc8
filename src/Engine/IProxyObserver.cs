namespace McpProxyFast;

/// <summary>Gets a report when an exchange has ended, and when a person must sign in.</summary>
/// <remarks>
/// If an observer throws, the exception's type is logged, and nothing else happens. Reports come on the threads that serve connections, several at the same
/// time. So an observer must be quick and must not block. If it blocks, it delays all exchanges that the same thread serves. The proxy's time limits still
/// hold.
/// </remarks>
public interface IProxyObserver
{
    /// <summary>Called when an exchange has ended.</summary>
    /// <param name="report">What happened; valid only during the call.</param>
    void OnExchangeEnded(in ExchangeReport report);

    /// <summary>Called when a person must sign in. Requests wait for the sign-in, each for at most 45 s. The link is logged too, at warning level.</summary>
    /// <param name="prompt">The link and the other things to show to the person.</param>
    /// <remarks>Called once for each sign-in, never on a thread that serves connections. The default implementation does nothing.</remarks>
    void OnSignInNeeded(in SignInPrompt prompt)
    {
    }
}
