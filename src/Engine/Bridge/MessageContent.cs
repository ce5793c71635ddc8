using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace McpProxyFast.Bridge;

/// <summary>A JSON-RPC message as the body of a POST: its bytes, unchanged and uncopied.</summary>
internal sealed class MessageContent : HttpContent
{
    /// <summary>Most bytes of one write: a pipe copies all that it is given before it waits for its reader.</summary>
    private const int WriteBytes = 64 * 1024;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ReadOnlySequence<byte> _message;

    /// <param name="message">Valid until the response has come.</param>
    public MessageContent(in ReadOnlySequence<byte> message)
    {
        _message = message;
        Headers.ContentType = Json;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (ReadOnlyMemory<byte> piece in _message)
        {
            for (int from = 0; from < piece.Length; from += WriteBytes)
            {
                await stream.WriteAsync(piece.Slice(from, Math.Min(WriteBytes, piece.Length - from)), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _message.Length;
        return true;
    }
}
