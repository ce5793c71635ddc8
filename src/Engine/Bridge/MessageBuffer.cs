using System.Buffers;
using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>The bytes of one message, in rented pieces. So a large message needs no large array, and nothing is copied when the message grows.</summary>
internal sealed class MessageBuffer : IDisposable
{
    /// <summary>The length of the first piece in bytes. Most messages fit into it.</summary>
    private const int FirstPiece = 4 * 1024;

    /// <summary>The length of the second piece in bytes. All further pieces have <see cref="MessagePieces.Length"/> bytes.</summary>
    private const int SecondPiece = 16 * 1024;

    /// <summary>The first piece; null while the message is empty, and after <see cref="Dispose"/>.</summary>
    private Segment? _first;

    /// <summary>The piece that is being filled; null while nothing has been added.</summary>
    private Segment? _last;

    /// <summary>The message's bytes if they are in memory that was not rented here; otherwise empty.</summary>
    private ReadOnlySequence<byte> _elsewhere;

    /// <summary>An object that is disposed of together with the bytes (see <see cref="Hold"/>); null if there is none.</summary>
    private IDisposable? _hold;

    /// <summary>The length of the message in bytes.</summary>
    public long Length { get; private set; }

    /// <summary>How many bytes of memory the message takes: all pieces in full, even if they are only partly filled.</summary>
    public long Held { get; private set; }

    /// <summary>
    /// An object that is disposed of together with the bytes: the message's share of a <see cref="MemoryBudget"/>, its turn of <see cref="LargeMessages"/>, or
    /// the owner of memory that was not rented here. Null if there is none.
    /// </summary>
    public IDisposable? Hold => _hold;

    /// <summary>All bytes of the message. Valid until bytes are added, or the message is cleared or disposed of.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? _elsewhere : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    /// <summary>Makes a buffer for a message that is in memory already. The bytes are not copied.</summary>
    /// <param name="message">The message's bytes.</param>
    /// <param name="hold">Owns the memory of the bytes, and is disposed of together with them; null if nobody has to free the memory.</param>
    public static MessageBuffer Over(in ReadOnlySequence<byte> message, IDisposable? hold = null) =>
        new() { _elsewhere = message, Length = message.Length, Held = message.Length, _hold = hold };

    /// <summary>Sets an object that is disposed of together with the bytes.</summary>
    public void Keep(IDisposable hold)
    {
        Debug.Assert(_hold is null, "A message has at most one turn or share.");
        _hold = hold;
    }

    /// <summary>Disposes of <see cref="Hold"/> now, and keeps the bytes.</summary>
    public void GiveUpHold() => Interlocked.Exchange(ref _hold, null)?.Dispose();

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Debug.Assert(_elsewhere.IsEmpty, "Nothing is added to a buffer over existing memory.");
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

    /// <summary>Drops the bytes and disposes of <see cref="Hold"/>. The buffer may be filled again.</summary>
    public void Clear()
    {
        for (Segment? segment = _first; segment is not null; segment = (Segment?)segment.Next)
        {
            segment.Return();
        }

        (_first, _last, _elsewhere, Length, Held) = (null, null, default, 0, 0);
        GiveUpHold();
    }

    /// <summary>Returns the rented pieces, and disposes of <see cref="Hold"/>. The bytes must not be used any more.</summary>
    public void Dispose() => Clear();

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        /// <summary>The rented array.</summary>
        private readonly byte[] _bytes;

        /// <summary>How many bytes of the array may be used; the array may be longer.</summary>
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
            Debug.Assert(bytes.Length <= Free, "No more is added than there is room for.");
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
