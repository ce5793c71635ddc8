using System.Runtime.CompilerServices;

namespace McpProxyFast.Bridge;

/// <summary>Leaves a thread that must not be held up, such as an event loop's, before something that takes long: a large message, a translation.</summary>
internal static class PoolThread
{
    /// <summary>What awaits this goes on on a thread of the pool: at once if it runs on one.</summary>
    public static ConfiguredTaskAwaitable Enter()
    {
        AnswerScheduler.LeaveRest();
        return Task.CompletedTask.ConfigureAwait(Thread.CurrentThread.IsThreadPoolThread ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);
    }
}
