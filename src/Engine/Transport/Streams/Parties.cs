using System.Diagnostics;

namespace McpProxyFast.Transport.Streams;

/// <summary>Counts who still uses something. The last to leave gives it back, so nothing is called on what has been given back.</summary>
/// <remarks>Once the count is zero nobody can join any more.</remarks>
internal struct Parties(int count)
{
    /// <summary>Changed by interlocked steps only. Never grows from zero.</summary>
    private int _count = count;

    /// <summary>Joins, if it is still in use.</summary>
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

    /// <summary>Joins; for a party whose caller is one already.</summary>
    public void Join()
    {
        int after = Interlocked.Increment(ref _count);
        Debug.Assert(after > 1, "The caller is one of them.");
    }

    /// <summary>Leaves.</summary>
    /// <returns>True for the last, which now gives it back.</returns>
    public bool Leave()
    {
        int after = Interlocked.Decrement(ref _count);
        Debug.Assert(after >= 0, "Who leaves has joined.");
        return after == 0;
    }
}
