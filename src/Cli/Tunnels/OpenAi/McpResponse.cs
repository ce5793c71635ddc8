using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>A response that came through the proxy in this process.</summary>
internal sealed class McpResponse
{
    /// <summary>
    /// The limits for reading the response. They are at least the proxy's own, so that no response that it passes on is refused here. The size of the body is
    /// bounded by the code that reads it.
    /// </summary>
    private static readonly HeadLimits Limits = new(
        MaxHeadBytes: ushort.MaxValue, MaxStartLineBytes: 8 * 1024, MaxFields: 1_000, new BodyLimits(long.MaxValue / 2, MaxOverheadBytes: 64 * 1024));

    private readonly ResponseHead _head;

    private McpResponse(ResponseHead head, PipeReader input)
    {
        _head = head;
        Body = new BodyStream(head, input);
    }

    /// <summary>The HTTP status.</summary>
    public int Status => _head.Status;

    /// <summary>Whether the body is a stream of events.</summary>
    public bool IsEventStream => _head.IsEventStream;

    /// <summary>The body. If the connection ends before the body is complete, reading throws.</summary>
    public Stream Body { get; }

    /// <summary>Reads the head of the final response.</summary>
    /// <returns>The response; null if the connection ends before its head is complete, or the head is not valid.</returns>
    public static async Task<McpResponse?> ReadAsync(Stream connection, CancellationToken cancel)
    {
        PipeReader input = PipeReader.Create(connection, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        try
        {
            while (true)
            {
                ReadResult read = await input.ReadAsync(cancel);
                var head = new ResponseHead();
                head.SetBytes(read.Buffer.Slice(0, Math.Min(read.Buffer.Length, Limits.MaxHeadBytes)).ToArray());
                Step step = HeadParser.Parse(head, Limits);
                if (step.Kind is StepKind.Done)
                {
                    input.AdvanceTo(read.Buffer.GetPosition(step.Length));
                    if (!head.IsInterim)
                    {
                        return new McpResponse(head, input);
                    }
                }
                else if (step.Kind is StepKind.Reject || read.IsCompleted)
                {
                    return null;
                }
                else
                {
                    input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                }
            }
        }
        catch (IOException)
        {
            return null; // the connection was lost
        }
    }

    /// <summary>Returns the values of a field, one for each field line.</summary>
    public IReadOnlyList<string> Values(string name)
    {
        List<string> values = [];
        foreach (FieldSlot slot in _head.Fields.Slots)
        {
            if (Ascii.EqualsIgnoreCase(_head.Name(slot), name))
            {
                values.Add(Encoding.Latin1.GetString(_head.Value(slot)));
            }
        }

        return values;
    }

    private sealed class BodyStream(ResponseHead head, PipeReader input) : Stream
    {
        /// <summary>How far the body has been read.</summary>
        private BodyFraming _framing = head.Framing.AsDataOnly();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        /// <exception cref="IOException">The connection ended before the body was complete, or the body is malformed.</exception>
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (!_framing.IsComplete)
            {
                ReadResult read = await input.ReadAsync(cancellationToken);
                if (read.Buffer.IsEmpty && read.IsCompleted)
                {
                    return _framing.Kind is FramingKind.UntilClose ? 0 : throw new IOException("the connection ended before the body was complete");
                }

                int count = Take(read.Buffer.FirstSpan, buffer.Span, out int used);
                input.AdvanceTo(read.Buffer.GetPosition(used));
                if (count > 0)
                {
                    return count;
                }
            }

            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("This stream can only be used asynchronously.");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush()
        {
            // There is nothing to write.
        }

        /// <returns>The number of data bytes that have been copied.</returns>
        private int Take(ReadOnlySpan<byte> received, Span<byte> room, out int used)
        {
            int count = 0;
            var walk = new BodyWalk(ref _framing, received[..Math.Min(received.Length, room.Length)]);
            while (walk.MoveNext())
            {
                received.Slice(walk.RunStart, walk.RunLength).CopyTo(room[count..]);
                count += walk.RunLength;
            }

            used = walk.Length;
            return walk.Violation is Violation.None ? count : throw new IOException("the body's chunks are malformed");
        }
    }
}
