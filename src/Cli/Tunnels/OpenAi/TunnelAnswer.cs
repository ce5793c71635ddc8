using System.Buffers;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>The final answer to a command, ready to be posted.</summary>
/// <param name="Body">The JSON body to post.</param>
/// <param name="Held">The server's messages that contain parts of the body.</param>
internal sealed record TunnelAnswer(ReadOnlySequence<byte> Body, params MessageBuffer[] Held) : IDisposable
{
    public void Dispose() => Array.ForEach(Held, message => message.Dispose());
}
