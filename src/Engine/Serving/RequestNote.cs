using System.Diagnostics;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>
/// A copy of the parts of a request that a challenge is about: method, target and the caller's token, in one rented buffer. Copying allocates nothing.
/// </summary>
/// <remarks>
/// The copy is needed since a pump may have released the received bytes when a challenge comes. Only then are the parts converted to strings.
/// </remarks>
internal struct RequestNote
{
    /// <summary>The rented buffer with the parts; null while nothing is copied.</summary>
    private byte[]? _bytes;

    /// <summary>The index at which the method ends and the target begins. Valid while a request is copied.</summary>
    private int _methodEnd;

    /// <summary>The index at which the target ends and the caller's token begins. Valid while a request is copied.</summary>
    private int _targetEnd;

    /// <summary>The index at which the caller's token ends. Valid while a request is copied.</summary>
    private int _callerEnd;

    public readonly bool IsTaken => _bytes is not null;

    public readonly ReadOnlySpan<byte> Method => Between(0, _methodEnd);

    /// <summary>The path and query that are sent to the upstream; <c>*</c> for a request about the server as a whole.</summary>
    public readonly ReadOnlySpan<byte> Target => Between(_methodEnd, _targetEnd);

    /// <summary>The caller's token; empty if there is none.</summary>
    public readonly ReadOnlySpan<byte> Caller => Between(_targetEnd, _callerEnd);

    /// <summary>Copies the parts of a request. An earlier copy is overwritten.</summary>
    /// <param name="head">The request's head. Its bytes are read only during this call.</param>
    /// <param name="rewriter">Maps the request's target to the one that is sent to the upstream.</param>
    /// <param name="redirectedTo">The path and query that are sent in place of the request's own; empty if its own are sent.</param>
    /// <param name="caller">The caller's token; empty if there is none, or the credential does not depend on it.</param>
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
        Debug.Assert(_callerEnd <= most, "The parts fit into the length that was computed for them.");
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
        Debug.Assert(IsTaken, "A part is read only while a request is copied.");
        return _bytes.AsSpan(start, end - start);
    }
}
