using System.Diagnostics;

namespace McpProxyFast.Bridge.Messages;

/// <summary>
/// The shared ownership of bytes that several messages refer to. When nobody uses the bytes any more they are given back: their owners are disposed of.
/// </summary>
/// <param name="held">The owners of the bytes. Each is disposed of once.</param>
internal sealed class SharedBytes(IReadOnlyList<IDisposable> held)
{
    /// <summary>The number of users. When it becomes zero, the bytes are given back.</summary>
    private int _users;

    /// <summary>Whether the bytes have been given back, so that nobody may use them.</summary>
    private volatile bool _isGivenBack;

    /// <summary>
    /// Adds a user of the bytes, who must dispose of the returned object after the last use. May be called for the first user, and after that only while
    /// another user still has the bytes.
    /// </summary>
    public IDisposable Use()
    {
        Interlocked.Increment(ref _users);
        Debug.Assert(!_isGivenBack, "Bytes that were given back must not be used again.");
        return new User(this);
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) > 0)
        {
            return;
        }

        _isGivenBack = true;
        foreach (IDisposable each in held)
        {
            each.Dispose();
        }
    }

    /// <summary>One user. Disposing of it again does nothing.</summary>
    private sealed class User(SharedBytes bytes) : IDisposable
    {
        /// <summary>The bytes that are used; null after the disposal.</summary>
        private SharedBytes? _bytes = bytes;

        public void Dispose() => Interlocked.Exchange(ref _bytes, null)?.Leave();
    }
}
