namespace McpProxyFast;

/// <summary>Told, after the fact, how each exchange ended, and when a person is needed.</summary>
/// <remarks>
/// What an observer throws harms nothing: it is logged by its type. Reports come on the threads that serve
/// connections, several at a time, so an observer must be quick and must not block. One that does holds up its exchange, and
/// others that the same thread serves; time limits still hold.
/// </remarks>
public interface IProxyObserver
{
    /// <summary>An exchange is over.</summary>
    /// <param name="report">What happened; valid only during the call.</param>
    void OnExchangeEnded(in ExchangeReport report);

    /// <summary>A person has to sign in. Requests wait meanwhile, for up to 45 s each. The log has the link too, at warning level.</summary>
    /// <param name="prompt">What to show to whom.</param>
    /// <remarks>Called once for each sign-in, never on a thread that serves connections. The default does nothing.</remarks>
    void OnSignInNeeded(in SignInPrompt prompt)
    {
    }
}
