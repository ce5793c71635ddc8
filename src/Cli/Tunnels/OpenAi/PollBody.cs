using System.Diagnostics;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>The body of the response to a poll. The commands are slices of it, so it is disposed of when the last command has ended.</summary>
/// <param name="bytes">The bytes of the body.</param>
internal sealed class PollBody(MessageBuffer bytes)
{
    /// <summary>The number of users of the bytes: the code that reads the poll, and each command that has begun and not ended.</summary>
    private int _users = 1;

    /// <summary>Adds a user. May be called only while the bytes have a user.</summary>
    public void Enter()
    {
        int users = Interlocked.Increment(ref _users);
        Debug.Assert(users > 1, "The bytes have not been given back.");
    }

    /// <summary>Removes a user. After the last one the bytes are disposed of.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            bytes.Dispose();
        }
    }
}
