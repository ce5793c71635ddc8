namespace McpProxyFast;

/// <summary>Gets a report when an exchange has ended, and when a person must sign in.</summary>
/// <remarks>
/// An exception of an observer does no harm: its type is logged. Reports come on the threads that serve connections, several at a time, so an observer must be
/// quick and must not block. One that blocks delays its exchange, and the others that the same thread serves; time limits still hold.
/// </remarks>
public interface IProxyObserver
{
    /// <summary>Called when an exchange has ended.</summary>
    /// <param name="report">What happened; valid only during the call.</param>
    void OnExchangeEnded(in ExchangeReport report);

    /// <summary>Called when a person must sign in. Requests wait meanwhile, for up to 45 s each. The link is logged too, at warning level.</summary>
    /// <param name="prompt">The link and the other things to show to the person.</param>
    /// <remarks>Called once for each sign-in, never on a thread that serves connections. The default does nothing.</remarks>
    void OnSignInNeeded(in SignInPrompt prompt)
    {
    }
}
