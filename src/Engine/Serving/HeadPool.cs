using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Heads for the exchanges of one thread: a connection that is idle, or only streams, holds none.</summary>
/// <typeparam name="T">Request or response head.</typeparam>
internal static class HeadPool<T>
    where T : MessageHead, new()
{
    /// <summary>Most heads that one thread keeps; each is about half a kilobyte.</summary>
    private const int MostKept = 1024;

    [ThreadStatic]
    private static Stack<T>? t_kept;

    public static T Rent() => t_kept is { Count: > 0 } kept ? kept.Pop() : new T();

    public static void Return(ref T? head)
    {
        if (head is null)
        {
            return;
        }

        head.Clear();
        t_kept ??= new Stack<T>();
        if (t_kept.Count < MostKept)
        {
            t_kept.Push(head);
        }

        head = null;
    }
}
