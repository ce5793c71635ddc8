using System.Diagnostics;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>What a credential has to know of a request: its parts, one behind the other in a rented buffer. To note them allocates nothing.</summary>
/// <remarks>A challenge may come when the received bytes are gone: a pump releases them. Only then are the parts made into text.</remarks>
internal struct RequestNote
{
    /// <summary>The parts; rented. Null while nothing is noted.</summary>
    private byte[]? _bytes;

    /// <summary>Where the method ends, and the target begins. Valid while something is noted.</summary>
    private int _methodEnd;

    /// <summary>Where the target ends, and the caller's token begins. Valid while something is noted.</summary>
    private int _targetEnd;

    /// <summary>Where the caller's token ends. Valid while something is noted.</summary>
    private int _callerEnd;

    public readonly bool IsTaken => _bytes is not null;

    public readonly ReadOnlySpan<byte> Method => Between(0, _methodEnd);

    /// <summary>Path and query as the upstream sees them; <c>*</c> for the server as a whole.</summary>
    public readonly ReadOnlySpan<byte> Target => Between(_methodEnd, _targetEnd);

    /// <summary>The caller's token; empty for none.</summary>
    public readonly ReadOnlySpan<byte> Caller => Between(_targetEnd, _callerEnd);

    /// <summary>Notes a request, in the place of what was noted before.</summary>
    /// <param name="head">The request's head; its bytes are read now and not later.</param>
    /// <param name="rewriter">Knows how the upstream sees the target.</param>
    /// <param name="redirectedTo">The path and query that are sent instead of the request's own; empty for its own.</param>
    /// <param name="caller">The caller's token; empty for none, and if the credential does not depend on it.</param>
    public void Take(RequestHead head, RequestRewriter rewriter, ReadOnlySpan<byte> redirectedTo, ReadOnlySpan<byte> caller)
    {
        int most = head.Method.Length + (redirectedTo.IsEmpty ? rewriter.MostTargetBytes(head) : redirectedTo.Length) + caller.Length;
        if (_bytes is null || _bytes.Length < most)
        {
            Clear();
            _bytes = Buffers.Rent(most);
        }

        Span<byte> room = _bytes;
        head.Method.CopyTo(room);
        _methodEnd = head.Method.Length;
        _targetEnd = _methodEnd + WriteTarget(head, rewriter, redirectedTo, room[_methodEnd..]);
        caller.CopyTo(room[_targetEnd..]);
        _callerEnd = _targetEnd + caller.Length;
        Debug.Assert(_callerEnd <= most, "The parts fit in the room that was counted for them.");
    }

    /// <summary>Gives the buffer back.</summary>
    public void Clear()
    {
        if (_bytes is { } rented)
        {
            _bytes = null;
            Buffers.Return(rented);
        }
    }

    private static int WriteTarget(RequestHead head, RequestRewriter rewriter, ReadOnlySpan<byte> redirectedTo, Span<byte> room)
    {
        if (redirectedTo.IsEmpty)
        {
            return rewriter.WriteTarget(head, room);
        }

        redirectedTo.CopyTo(room);
        return redirectedTo.Length;
    }

    private readonly ReadOnlySpan<byte> Between(int start, int end)
    {
        Debug.Assert(IsTaken, "Only what was noted is read.");
        return _bytes.AsSpan(start, end - start);
    }
}
