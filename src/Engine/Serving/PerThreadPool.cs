using System.Diagnostics;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Keeps objects per thread for later exchanges. So an idle connection holds none, and a warm exchange allocates none.</summary>
/// <typeparam name="T">The type of the objects. They are cleared before they are returned.</typeparam>
internal static class PerThreadPool<T>
    where T : class, new()
{
    [ThreadStatic]
    private static KeptObjects<T>? t_kept;

    public static T Rent() => t_kept?.TryPop() ?? new T();

    public static void Return(T returned) => (t_kept ??= new KeptObjects<T>()).Push(returned);
}

/// <summary>A stack of objects kept by one thread, up to the number that <see cref="ThreadShare"/> allows.</summary>
/// <typeparam name="T">The type of the objects.</typeparam>
internal sealed class KeptObjects<T>
    where T : class
{
    /// <summary>The most objects of one type that an event loop keeps. Each is about a kilobyte at most.</summary>
    private const int MaxKept = 1024;

    private readonly int _most = ThreadShare.Of(MaxKept);

    /// <summary>The kept objects, at indexes below <see cref="_count"/>. Grows up to <see cref="_most"/>.</summary>
    private T?[] _objects = new T?[8];

    /// <summary>How many objects are kept.</summary>
    private int _count;

    /// <summary>Takes the object that was kept last; null if there is none.</summary>
    public T? TryPop()
    {
        if (_count == 0)
        {
            return null;
        }

        T? last = _objects[--_count];
        _objects[_count] = null;
        Debug.Assert(last is not null, "Slots below the count are filled.");
        return last;
    }

    /// <summary>Keeps an object if there is room. Otherwise it is left to the garbage collector.</summary>
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
