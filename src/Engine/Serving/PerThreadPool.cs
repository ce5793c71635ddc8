using System.Diagnostics;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Objects that one thread keeps for its next exchanges: so a connection that is idle holds none, and a warm exchange makes none.</summary>
/// <typeparam name="T">What is kept. It has been cleared before it is returned.</typeparam>
internal static class PerThreadPool<T>
    where T : class, new()
{
    [ThreadStatic]
    private static KeptObjects<T>? t_kept;

    public static T Rent() => t_kept?.TryPop() ?? new T();

    public static void Return(T returned) => (t_kept ??= new KeptObjects<T>()).Push(returned);
}

/// <summary>A stack of objects that one thread keeps, up to its share.</summary>
/// <typeparam name="T">What is kept.</typeparam>
internal sealed class KeptObjects<T>
    where T : class
{
    /// <summary>Most objects of a kind that an event loop keeps; each is at most about a kilobyte.</summary>
    private const int MaxKept = 1024;

    private readonly int _most = ThreadShare.Of(MaxKept);

    /// <summary>The objects below <see cref="_count"/>; grows up to the share.</summary>
    private T?[] _objects = new T?[8];

    /// <summary>How many are kept.</summary>
    private int _count;

    /// <summary>Takes the one that was kept last; null where there is none.</summary>
    public T? TryPop()
    {
        if (_count == 0)
        {
            return null;
        }

        T? last = _objects[--_count];
        _objects[_count] = null;
        Debug.Assert(last is not null, "What is kept is there.");
        return last;
    }

    /// <summary>Keeps an object, if there is room; else the garbage collector has it.</summary>
    public void Push(T kept)
    {
        if (_count == _most)
        {
            return;
        }

        if (_count == _objects.Length)
        {
            Array.Resize(ref _objects, Math.Min(_objects.Length * 2, _most));
        }

        _objects[_count++] = kept;
    }
}
