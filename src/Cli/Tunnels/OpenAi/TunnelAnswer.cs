using System.Buffers;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>The final answer to a command, ready to be posted.</summary>
/// <param name="Body">Its JSON.</param>
/// <param name="Held">Messages of the server that the body is made of.</param>
internal sealed record TunnelAnswer(ReadOnlySequence<byte> Body, params MessageBuffer[] Held) : IDisposable
{
    public void Dispose() => Array.ForEach(Held, message => message.Dispose());
}
