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

    /// <summary>Given back with the bytes; null where the message is small. See <see cref="LargeMessages"/>.</summary>
    private IDisposable? _turn;

    /// <summary>How many bytes there are.</summary>
    public long Length { get; private set; }

    /// <summary>The message has its turn among the large ones.</summary>
    public bool HasTurn => _turn is not null;

    /// <summary>What was handed over by <see cref="Keep"/>; null where nothing was.</summary>
    public IDisposable? Turn => _turn;

    /// <summary>All bytes. Valid until <see cref="Dispose"/>, and until something is added.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? default : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    /// <summary>Hands over the turn of a large message, which ends with it.</summary>
    public void Keep(IDisposable turn)
    {
        Debug.Assert(_turn is null, "A message takes its turn once.");
        _turn = turn;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
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

        (_first, _last, Length) = (null, null, 0);
        Interlocked.Exchange(ref _turn, null)?.Dispose();
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
