using System.Buffers;
using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>The bytes of one message, in rented pieces: a large one needs no large array, and none is copied when it grows.</summary>
internal sealed class MessageBuffer : IDisposable
{
    /// <summary>The first piece: most messages fit into it.</summary>
    private const int FirstPiece = 4 * 1024;

    /// <summary>The first piece; null while the message is empty, and after <see cref="Dispose"/>.</summary>
    private Segment? _first;

    /// <summary>The piece that is being filled; null while the message is empty.</summary>
    private Segment? _last;

    /// <summary>Bytes that lie elsewhere; empty where they lie in pieces.</summary>
    private ReadOnlySequence<byte> _elsewhere;

    /// <summary>Given back with the bytes; null where nothing has to be.</summary>
    private IDisposable? _hold;

    /// <summary>How many bytes there are.</summary>
    public long Length { get; private set; }

    /// <summary>Given back with the bytes: a share of the <see cref="MessageRoom"/>, or a turn of <see cref="LargeMessages"/>; null where nothing is.</summary>
    public IDisposable? Hold => _hold;

    /// <summary>All bytes. Valid until <see cref="Dispose"/>, and until something is added.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? _elsewhere : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    /// <summary>A message that was made here, in memory of its own: it is not copied.</summary>
    public static MessageBuffer Over(in ReadOnlySequence<byte> message) => new() { _elsewhere = message, Length = message.Length };

    /// <summary>Hands over what is to be given back with the bytes.</summary>
    public void Keep(IDisposable hold)
    {
        Debug.Assert(_hold is null, "A message takes its turn, or its share, once.");
        _hold = hold;
    }

    /// <summary>Hands over what is to be given back to the message that stands in for this one, if it has to be.</summary>
    public void MoveHoldTo(MessageBuffer other)
    {
        if (Interlocked.Exchange(ref _hold, null) is { } hold)
        {
            other.Keep(hold);
        }
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Debug.Assert(_elsewhere.IsEmpty, "A message that was made here is whole.");
        while (!bytes.IsEmpty)
        {
            if (_last is null || _last.Free == 0)
            {
                var next = new Segment(_last, isSmall: _first is null);
                _first ??= next;
                _last = next;
            }

            int taken = Math.Min(bytes.Length, _last.Free);
            _last.Add(bytes[..taken]);
            Length += taken;
            bytes = bytes[taken..];
        }
    }

    public void Add(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            Add(piece.Span);
        }
    }

    /// <summary>Drops the bytes and keeps the buffer for others.</summary>
    public void Clear()
    {
        for (Segment? segment = _first; segment is not null; segment = (Segment?)segment.Next)
        {
            segment.Return();
        }

        (_first, _last, _elsewhere, Length) = (null, null, default, 0);
        Interlocked.Exchange(ref _hold, null)?.Dispose();
    }

    /// <summary>Gives everything back. Nobody may use the bytes any more.</summary>
    public void Dispose() => Clear();

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private readonly byte[] _bytes;
        private readonly bool _isSmall;

        public Segment(Segment? previous, bool isSmall)
        {
            _isSmall = isSmall;
            _bytes = isSmall ? ArrayPool<byte>.Shared.Rent(FirstPiece) : MessagePieces.Rent();
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }

        public int Free => _bytes.Length - Memory.Length;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            Debug.Assert(bytes.Length <= Free, "Only what has room is added.");
            bytes.CopyTo(_bytes.AsSpan(Memory.Length));
            Memory = _bytes.AsMemory(0, Memory.Length + bytes.Length);
        }

        public void Return()
        {
            if (_isSmall)
            {
                ArrayPool<byte>.Shared.Return(_bytes);
            }
            else
            {
                MessagePieces.Return(_bytes);
            }
        }
    }
}
