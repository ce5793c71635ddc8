// The engine calls these on instances.
#pragma warning disable CA1822

namespace McpProxyFast.Serving;

/// <summary>In place of the engine's own pools: what a stage needs is made for each exchange and left to the garbage collector.</summary>
/// <typeparam name="T">What is made.</typeparam>
internal static class PerThreadPool<T>
    where T : class, new()
{
    public static T Rent() => new();

    public static void Return(T returned)
    {
    }
}

/// <summary>Keeps nothing.</summary>
/// <typeparam name="T">What would be kept.</typeparam>
internal sealed class KeptObjects<T>
    where T : class
{
    public T? TryPop() => null;

    public void Push(T kept)
    {
    }
}
