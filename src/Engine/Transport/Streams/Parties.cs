using System.Diagnostics;

namespace McpProxyFast.Transport.Streams;

/// <summary>Counts the users of an object. The last user that leaves releases the object, so nothing is called on a released object.</summary>
/// <remarks>Once the count is zero, nobody can join any more.</remarks>
internal struct Parties(int count)
{
    /// <summary>The number of users. Changed by interlocked operations only. Once it is 0, it stays 0.</summary>
    private int _count = count;

    /// <summary>Adds a user, if there still are users. If not, the object has been released or is just being released, and false is returned.</summary>
    public bool TryJoin()
    {
        int seen = Volatile.Read(ref _count);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref _count, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    /// <summary>Adds a user. The caller must already be one of the users.</summary>
    public void Join()
    {
        int after = Interlocked.Increment(ref _count);
        Debug.Assert(after > 1, "The caller is one of them.");
    }

    /// <summary>Removes one of the users.</summary>
    /// <returns>True if it was the last one. Then the caller must release the object.</returns>
    public bool Leave()
    {
        int after = Interlocked.Decrement(ref _count);
        Debug.Assert(after >= 0, "Who leaves has joined.");
        return after == 0;
    }
}
