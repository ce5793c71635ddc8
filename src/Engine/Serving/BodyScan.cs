using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Looks for the end of a body in what has been received.</summary>
/// <remarks>
/// It goes on where it stopped, so that no byte is looked at twice, in however small pieces the body comes.
/// A mutable struct: never read-only and never copied while it is used.
/// </remarks>
internal struct BodyScan
{
    /// <summary>How far the body has been read.</summary>
    private BodyFraming _framing;

    /// <param name="request">A request whose head is complete.</param>
    public BodyScan(RequestHead request)
    {
        Debug.Assert(request.Length > 0, "The head is complete.");
        _framing = request.Framing;
        Length = request.Length;
    }

    /// <summary>Bytes of the request seen so far, its head included; of the whole request once its end was found.</summary>
    public long Length { get; private set; }

    /// <summary>Goes on over the bytes received, which start with the head.</summary>
    /// <returns>True where the end is here; false where more has to come; null where the framing is broken.</returns>
    public bool? Read(in ReadOnlySequence<byte> received)
    {
        Debug.Assert(received.Length >= Length, "What was seen is still there.");
        Violation violation = BodyWalk.ToEnd(ref _framing, received.Slice(Length), out long length);
        Length += length;
        return violation is Violation.None ? _framing.IsComplete : null;
    }
}
