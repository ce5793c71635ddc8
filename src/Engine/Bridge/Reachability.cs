using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Logs when the server can no longer be reached, and when it can be reached again: one line each, however many messages notice it.</summary>
/// <param name="settings">The settings of the conversation, with the log.</param>
internal sealed class Reachability(BridgeSettings settings)
{
    /// <summary>1 while the server cannot be reached, otherwise 0.</summary>
    private int _isGone;

    /// <summary>Notes that a response from the server has come.</summary>
    public void Reached()
    {
        if (Volatile.Read(ref _isGone) == 1 && Interlocked.Exchange(ref _isGone, 0) == 1)
        {
            settings.Logger.ServerIsBack();
        }
    }

    /// <summary>Notes an error response: from the server, or from the proxy if the server could not be reached.</summary>
    public void Note(ErrorAnswer error)
    {
        if (!error.IsNotConnected)
        {
            Reached();
        }
        else if (Interlocked.Exchange(ref _isGone, 1) == 0)
        {
            settings.Logger.ServerIsGone(error.Reason, settings.ReconnectTimeout.TotalSeconds);
        }
    }
}
