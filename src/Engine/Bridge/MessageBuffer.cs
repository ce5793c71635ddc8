using System.Buffers;
using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>The bytes of one message, in rented pieces: a large one needs no large array, and none is copied when it grows.</summary>
internal sealed class MessageBuffer : IDisposable
{
    /// <summary>The first piece: most messages fit into it.</summary>
    private const int FirstPiece = 4 * 1024;

    /// <summary>The second piece; all others are <see cref="MessagePieces.Length"/> long.</summary>
    private const int SecondPiece = 16 * 1024;

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

    /// <summary>How many bytes of memory they take: the pieces, filled or not.</summary>
    public long Held { get; private set; }

    /// <summary>Given back with the bytes: a share of a <see cref="MemoryBudget"/>, or a turn of <see cref="LargeMessages"/>; null where nothing is.</summary>
    public IDisposable? Hold => _hold;

    /// <summary>All bytes. Valid until <see cref="Dispose"/>, and until something is added.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? _elsewhere : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    /// <summary>A message that was made here: it is not copied.</summary>
    /// <param name="message">Its bytes.</param>
    /// <param name="hold">Given back with the bytes; null where they lie in memory of their own.</param>
    public static MessageBuffer Over(in ReadOnlySequence<byte> message, IDisposable? hold = null) =>
        new() { _elsewhere = message, Length = message.Length, Held = message.Length, _hold = hold };

    /// <summary>Hands over what is to be given back with the bytes.</summary>
    public void Keep(IDisposable hold)
    {
        Debug.Assert(_hold is null, "A message takes its turn, or its share, once.");
        _hold = hold;
    }

    /// <summary>Gives back what is given back with the bytes, and keeps the bytes for the moment.</summary>
    public void GiveUpHold() => Interlocked.Exchange(ref _hold, null)?.Dispose();

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Debug.Assert(_elsewhere.IsEmpty, "A message that was made here is whole.");
        while (!bytes.IsEmpty)
        {
            if (_last is null || _last.Free == 0)
            {
                int length = _first is null ? FirstPiece : _last == _first ? SecondPiece : MessagePieces.Length;
                _last = new Segment(_last, length);
                _first ??= _last;
                Held += length;
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

        (_first, _last, _elsewhere, Length, Held) = (null, null, default, 0, 0);
        GiveUpHold();
    }

    /// <summary>Gives everything back. Nobody may use the bytes any more.</summary>
    public void Dispose() => Clear();

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        /// <summary>The rented array.</summary>
        private readonly byte[] _bytes;

        /// <summary>How much of it is the message's.</summary>
        private readonly int _length;

        public Segment(Segment? previous, int length)
        {
            _length = length;
            _bytes = length == MessagePieces.Length ? MessagePieces.Rent() : ArrayPool<byte>.Shared.Rent(length);
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }

        public int Free => _length - Memory.Length;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            Debug.Assert(bytes.Length <= Free, "Only what has room is added.");
            bytes.CopyTo(_bytes.AsSpan(Memory.Length));
            Memory = _bytes.AsMemory(0, Memory.Length + bytes.Length);
        }

        public void Return()
        {
            if (_length == MessagePieces.Length)
            {
                MessagePieces.Return(_bytes);
            }
            else
            {
                ArrayPool<byte>.Shared.Return(_bytes);
            }
        }
    }
}
