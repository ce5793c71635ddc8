using System.Diagnostics;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>The response to a poll. Its commands are slices of it, so it is given back when the last of them has ended.</summary>
/// <param name="bytes">The response.</param>
internal sealed class PollBody(MessageBuffer bytes)
{
    /// <summary>Who still uses the bytes: the reader of the poll, and each command that has begun and not ended.</summary>
    private int _users = 1;

    /// <summary>One more uses the bytes. To be called by somebody who does.</summary>
    public void Enter()
    {
        int users = Interlocked.Increment(ref _users);
        Debug.Assert(users > 1, "The bytes have not been given back.");
    }

    /// <summary>One uses them no more.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            bytes.Dispose();
        }
    }
}
