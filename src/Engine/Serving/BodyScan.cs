using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Looks for the end of a body in the bytes received so far.</summary>
/// <remarks>
/// Each call continues where the last one stopped, so no byte is read twice, however small the pieces are. This is a mutable struct: never make it read-only,
/// and never copy it while it is in use.
/// </remarks>
internal struct BodyScan
{
    /// <summary>The body's framing, and how much of the body has been read.</summary>
    private BodyFraming _framing;

    /// <param name="request">A request whose head is complete.</param>
    public BodyScan(RequestHead request)
    {
        Debug.Assert(request.Length > 0, "The head is complete.");
        _framing = request.Framing;
        Length = request.Length;
    }

    /// <summary>Bytes of the request read so far, including its head. Once the end was found, the length of the whole request.</summary>
    public long Length { get; private set; }

    /// <summary>Continues over the received bytes, which start with the head.</summary>
    /// <returns>True if the end has arrived; false if more bytes are needed; null if the framing is broken.</returns>
    public bool? Read(in ReadOnlySequence<byte> received)
    {
        Debug.Assert(received.Length >= Length, "What was seen is still there.");
        Violation violation = BodyWalk.ToEnd(ref _framing, received.Slice(Length), out long length);
        Length += length;
        return violation is Violation.None ? _framing.IsComplete : null;
    }
}
