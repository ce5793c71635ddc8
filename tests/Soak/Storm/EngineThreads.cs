namespace McpProxyFast.Soak.Storm;

/// <summary>The engine's own threads. Those of the runtime's pool come and go with the machine's load, and tell nothing of the engine.</summary>
internal static class EngineThreads
{
    /// <summary>The name of an event loop, as far as Linux keeps it.</summary>
    private const string EventLoop = "mcpproxyfast-io";

    /// <summary>How many event loops run; 0 where the system does not say.</summary>
    public static int Count() => Directory.Exists("/proc/self/task") ? Directory.GetDirectories("/proc/self/task").Count(IsEventLoop) : 0;

    /// <summary>Waits until none runs.</summary>
    /// <returns>Whether that came.</returns>
    public static async Task<bool> EndAsync()
    {
        try
        {
            await Patience.UntilAsync(() => Count() == 0);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static bool IsEventLoop(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "comm")).TrimEnd() == EventLoop;
        }
        catch (IOException)
        {
            return false; // it has ended meanwhile
        }
    }
}
