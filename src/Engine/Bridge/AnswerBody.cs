using System.Buffers;
using System.Net.Http.Headers;

namespace McpProxyFast.Bridge;

/// <summary>Reads the bodies of responses that are not event streams.</summary>
internal static class AnswerBody
{
    private const int ReadBytes = 16 * 1024;

    /// <summary>Whether the response's <c>Content-Type</c> is <c>text/event-stream</c>.</summary>
    /// <remarks>Parameters after the media type are ignored, even malformed ones, as in <c>text/event-stream;</c>.</remarks>
    public static bool IsEventStream(HttpResponseMessage response)
    {
        if (!response.Content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values))
        {
            return false;
        }

        ReadOnlySpan<char> value = values.ToString();
        int end = value.IndexOf(';');
        return (end < 0 ? value : value[..end]).Trim().Equals("text/event-stream", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads a whole body.</summary>
    /// <param name="response">A response whose head has been received.</param>
    /// <param name="most">The largest body that is read, in bytes.</param>
    /// <param name="bound">Bounds the memory that bodies take while they are read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The body, which the caller must dispose of; null if the body is larger than <paramref name="most"/>.</returns>
    /// <exception cref="IOException">The connection ended before the body was complete, or <paramref name="bound"/> has given up a stalled body.</exception>
    public static async Task<MessageBuffer?> ReadAsync(HttpResponseMessage response, int most, IMessageBound bound, CancellationToken cancellationToken)
    {
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            return await ReadAsync(stream, most, bound, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a whole body.</summary>
    /// <param name="stream">The body.</param>
    /// <param name="most">The largest body that is read, in bytes.</param>
    /// <param name="bound">Bounds the memory that bodies take while they are read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The body, which the caller must dispose of; null if the body is larger than <paramref name="most"/>.</returns>
    /// <exception cref="IOException">The connection ended before the body was complete, or <paramref name="bound"/> has given up a stalled body.</exception>
    public static async Task<MessageBuffer?> ReadAsync(Stream stream, int most, IMessageBound bound, CancellationToken cancellationToken)
    {
        var body = new MessageBuffer();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        bool isWhole = false;
        try
        {
            while (await bound.ReadAsync(stream, buffer, body, cancellationToken).ConfigureAwait(false) is > 0 and var count)
            {
                if (body.Length + count > most)
                {
                    return null;
                }

                body.Add(buffer.AsSpan(0, count));
                if (body.Length > LargeMessages.Medium)
                {
                    await PoolThread.EnterForLarge();
                }

                await bound.TakeTurnAsync(body, cancellationToken).ConfigureAwait(false);
            }

            isWhole = true;
            return body;
        }
        catch (HttpRequestException cut)
        {
            throw new IOException(cut.Message, cut);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (!isWhole)
            {
                body.Dispose();
            }
        }
    }
}
