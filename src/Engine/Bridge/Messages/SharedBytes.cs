using System.Diagnostics;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Bytes that several messages are made of. They are given back when the last that uses them has ended.</summary>
/// <param name="held">What the bytes lie in; given back once.</param>
internal sealed class SharedBytes(IReadOnlyList<IDisposable> held)
{
    /// <summary>How many use the bytes; when it comes down to zero they are given back.</summary>
    private int _users;

    /// <summary>The bytes have been given back.</summary>
    private volatile bool _isGivenBack;

    /// <summary>One more uses the bytes, until it disposes of what it gets. To be called by somebody who uses them, or by the first.</summary>
    public IDisposable Use()
    {
        Interlocked.Increment(ref _users);
        Debug.Assert(!_isGivenBack, "Bytes that were given back are used by nobody.");
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

    /// <summary>Leaves once, however often it is disposed of.</summary>
    private sealed class User(SharedBytes bytes) : IDisposable
    {
        /// <summary>What is used; null once it has been left.</summary>
        private SharedBytes? _bytes = bytes;

        public void Dispose() => Interlocked.Exchange(ref _bytes, null)?.Leave();
    }
}
