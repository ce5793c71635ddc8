using System.Diagnostics;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>
/// A copy of the parts of a request that may be needed after its bytes were released: authority, path, method, target and the caller's token, in one rented
/// buffer. Copying allocates nothing.
/// </summary>
/// <remarks>
/// The upstream may answer with a challenge, or the proxy may have to write one, after a pump has released the received bytes. Only then are the parts
/// converted to strings.
/// </remarks>
internal struct RequestNote
{
    /// <summary>The rented buffer with the copied parts; null while there is no copy.</summary>
    private byte[]? _bytes;

    /// <summary>The index at which the authority ends and the path begins. Valid while <see cref="IsTaken"/> is true.</summary>
    private int _authorityEnd;

    /// <summary>The index at which the path ends and the method begins. Valid while <see cref="IsTaken"/> is true.</summary>
    private int _pathEnd;

    /// <summary>The index at which the method ends and the target begins. Valid while <see cref="IsTaken"/> is true.</summary>
    private int _methodEnd;

    /// <summary>The index at which the target ends and the caller's token begins. Valid while <see cref="IsTaken"/> is true.</summary>
    private int _targetEnd;

    /// <summary>The index at which the caller's token ends. Valid while <see cref="IsTaken"/> is true.</summary>
    private int _callerEnd;

    public readonly bool IsTaken => _bytes is not null;

    /// <summary>The authority that the client asked for.</summary>
    public readonly ReadOnlySpan<byte> Authority => Between(0, _authorityEnd);

    /// <summary>The path that the client asked for.</summary>
    public readonly ReadOnlySpan<byte> Path => Between(_authorityEnd, _pathEnd);

    public readonly ReadOnlySpan<byte> Method => Between(_pathEnd, _methodEnd);

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
        int target = redirectedTo.IsEmpty ? rewriter.MaxTargetBytes(head) : redirectedTo.Length;
        int most = head.Authority.Length + head.Path.Length + head.Method.Length + target + caller.Length;
        if (_bytes is null || _bytes.Length < most)
        {
            Clear();
            _bytes = Buffers.Rent(most);
        }

        Span<byte> room = _bytes;
        _authorityEnd = Put(head.Authority, 0);
        _pathEnd = Put(head.Path, _authorityEnd);
        _methodEnd = Put(head.Method, _pathEnd);
        _targetEnd = redirectedTo.IsEmpty ? _methodEnd + rewriter.WriteTarget(head, room[_methodEnd..]) : Put(redirectedTo, _methodEnd);
        _callerEnd = Put(caller, _targetEnd);
        Debug.Assert(_callerEnd <= most, "The parts fit in the room that was counted for them.");
    }

    /// <summary>Returns the buffer.</summary>
    public void Clear()
    {
        if (_bytes is { } rented)
        {
            _bytes = null;
            Buffers.Return(rented);
        }
    }

    /// <summary>Copies a part into the buffer.</summary>
    /// <returns>Where it ends.</returns>
    private readonly int Put(ReadOnlySpan<byte> part, int start)
    {
        part.CopyTo(_bytes.AsSpan(start));
        return start + part.Length;
    }

    private readonly ReadOnlySpan<byte> Between(int start, int end)
    {
        Debug.Assert(IsTaken, "A part is read only while a request is copied.");
        return _bytes.AsSpan(start, end - start);
    }
}
