using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Tells when the server goes and when it is back: once each, however many messages find out.</summary>
/// <param name="settings">Has the log.</param>
internal sealed class Reachability(BridgeSettings settings)
{
    /// <summary>1 while the server is gone.</summary>
    private int _isGone;

    /// <summary>A response of the server has come.</summary>
    public void Reached()
    {
        if (Volatile.Read(ref _isGone) == 1 && Interlocked.Exchange(ref _isGone, 0) == 1)
        {
            settings.Logger.ServerIsBack();
        }
    }

    /// <summary>A response came that is not a success; the proxy's own, if the server could not be reached.</summary>
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
