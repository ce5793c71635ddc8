using System.Runtime.CompilerServices;

namespace McpProxyFast.Bridge;

/// <summary>Moves code that takes long, such as a translation, from threads that must not be delayed (event loops) to a thread of the pool.</summary>
internal static class PoolThread
{
    /// <summary>The code after an <c>await</c> of the result runs on a thread of the pool. If it is on one already, it continues there at once.</summary>
    public static ConfiguredTaskAwaitable Enter() =>
        Task.CompletedTask.ConfigureAwait(Thread.CurrentThread.IsThreadPoolThread ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);

    /// <summary>Does the same in the middle of a large message. The next bytes of the connection go to the pool too.</summary>
    public static ConfiguredTaskAwaitable EnterForLarge()
    {
        AnswerScheduler.LeaveRest();
        return Enter();
    }
}
