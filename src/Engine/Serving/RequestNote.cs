using System.Diagnostics;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>What may be asked of a request when its received bytes are gone: its parts, one behind the other in a rented buffer.</summary>
/// <remarks>To note them allocates nothing. A challenge names them, the upstream's or the proxy's own; only then are they made into text.</remarks>
internal struct RequestNote
{
    /// <summary>The parts; rented. Null while nothing is noted.</summary>
    private byte[]? _bytes;

    /// <summary>Where the authority ends, and the path begins. Valid while something is noted.</summary>
    private int _authorityEnd;

    /// <summary>Where the path ends, and the method begins. Valid while something is noted.</summary>
    private int _pathEnd;

    /// <summary>Where the method ends, and the target begins. Valid while something is noted.</summary>
    private int _methodEnd;

    /// <summary>Where the target ends, and the caller's token begins. Valid while something is noted.</summary>
    private int _targetEnd;

    /// <summary>Where the caller's token ends. Valid while something is noted.</summary>
    private int _callerEnd;

    public readonly bool IsTaken => _bytes is not null;

    /// <summary>The authority that the client asked for.</summary>
    public readonly ReadOnlySpan<byte> Authority => Between(0, _authorityEnd);

    /// <summary>The path that the client asked for.</summary>
    public readonly ReadOnlySpan<byte> Path => Between(_authorityEnd, _pathEnd);

    public readonly ReadOnlySpan<byte> Method => Between(_pathEnd, _methodEnd);

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
        int target = redirectedTo.IsEmpty ? rewriter.MostTargetBytes(head) : redirectedTo.Length;
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

    /// <summary>Gives the buffer back.</summary>
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
        Debug.Assert(IsTaken, "Only what was noted is read.");
        return _bytes.AsSpan(start, end - start);
    }
}
