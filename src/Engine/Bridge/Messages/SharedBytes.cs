using System.Diagnostics;

namespace McpProxyFast.Bridge.Messages;

/// <summary>The shared ownership of bytes that several messages refer to. The bytes are given back when nobody uses them any more.</summary>
/// <param name="held">The owners of the bytes. Each is disposed of once.</param>
internal sealed class SharedBytes(IReadOnlyList<IDisposable> held)
{
    /// <summary>The number of users. When it becomes zero, the bytes are given back.</summary>
    private int _users;

    /// <summary>Whether the bytes have been given back.</summary>
    private volatile bool _isGivenBack;

    /// <summary>
    /// Adds a user, until it disposes of the returned object. May be called only before the bytes are given back: by the first user, or while another user has
    /// the bytes.
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

    /// <summary>One user. It counts as gone after the first disposal; further ones do nothing.</summary>
    private sealed class User(SharedBytes bytes) : IDisposable
    {
        /// <summary>The bytes that are used; null after the disposal.</summary>
        private SharedBytes? _bytes = bytes;

        public void Dispose() => Interlocked.Exchange(ref _bytes, null)?.Leave();
    }
}
