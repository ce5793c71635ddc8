using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace McpProxyFast.Bridge;

/// <summary>A JSON-RPC message as the body of a POST. Its bytes are neither changed nor copied.</summary>
internal sealed class MessageContent : HttpContent
{
    /// <summary>The maximum number of bytes in one write. A pipe copies all bytes of a write before it waits for its reader.</summary>
    private const int WriteBytes = 64 * 1024;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ReadOnlySequence<byte> _message;

    /// <param name="message">The message. It must stay valid until the response has begun.</param>
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
