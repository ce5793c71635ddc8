using System.Runtime.CompilerServices;

namespace McpProxyFast.Bridge;

/// <summary>Leaves a thread that must not be held up, such as an event loop's, before something that takes long: a large message, a translation.</summary>
internal static class PoolThread
{
    /// <summary>The code after an await of this runs on a thread of the pool. If it is on one already, it continues there at once.</summary>
    public static ConfiguredTaskAwaitable Enter() =>
        Task.CompletedTask.ConfigureAwait(Thread.CurrentThread.IsThreadPoolThread ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);

    /// <summary>Does the same in the middle of a large message, and leaves its next bytes to the pool too.</summary>
    public static ConfiguredTaskAwaitable EnterForLarge()
    {
        AnswerScheduler.LeaveRest();
        return Enter();
    }
}
