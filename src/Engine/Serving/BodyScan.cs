using System.Buffers;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Looks for the end of a body in what has been received; goes on where it stopped, so that no byte is looked at twice, in however small pieces it comes.</summary>
/// <remarks>A mutable struct: never read-only and never copied while it is used.</remarks>
internal struct BodyScan
{
    private BodyFraming _framing;

    /// <param name="request">A request whose head is complete.</param>
    /// <param name="limits">The bounds of its body.</param>
    public BodyScan(RequestHead request, ProxyLimits limits)
    {
        _framing = request.Framing;
        _framing.Bound(limits.MaxRequestBodyBytes, limits.MaxChunkOverheadBytes, dataOnly: false);
        Length = request.Length;
    }

    /// <summary>Bytes of the request seen so far, its head included; of the whole request once its end was found.</summary>
    public long Length { get; private set; }

    /// <summary>Goes on over the bytes received, which start with the head.</summary>
    /// <returns>True where the end is here; false where more has to come; null where the framing is broken.</returns>
    public bool? Read(in ReadOnlySequence<byte> received)
    {
        foreach (ReadOnlyMemory<byte> segment in received.Slice(Length))
        {
            ReadOnlySpan<byte> bytes = segment.Span;
            while (!bytes.IsEmpty && !_framing.IsComplete)
            {
                Step step = _framing.Next(bytes);
                if (step.Kind is StepKind.Reject)
                {
                    return null;
                }

                Length += step.Length;
                bytes = bytes[step.Length..];
            }
        }

        return _framing.IsComplete;
    }
}
