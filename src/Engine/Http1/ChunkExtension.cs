namespace McpProxyFast.Http1;

/// <summary>Reads the chunk extensions of one chunk line, byte by byte.</summary>
/// <remarks>
/// RFC 9112 §7.1.1: <c>chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )</c>. Anything else is rejected: parsers disagree about where a
/// line with a lone semicolon or an open quote ends. A line never ends within quotes.
/// </remarks>
internal struct ChunkExtension
{
    private State _state;

    private enum State : byte
    {
        /// <summary>Nothing has been read. The first byte must be a semicolon.</summary>
        Start,
        BeforeName,
        Name,
        AfterName,
        BeforeValue,
        Value,
        Quoted,
        Escaped,
        AfterQuoted,
        AfterValue,
    }

    /// <summary>Whether the chunk line may end after the bytes read so far.</summary>
    public readonly bool IsWhole => _state is State.Name or State.Value or State.AfterQuoted;

    /// <summary>Reads the next byte. Returns false if the grammar does not allow it here.</summary>
    public bool TryTake(byte next)
    {
        State? state = _state switch
        {
            State.Start => next == (byte)';' ? State.BeforeName : null,
            State.BeforeName => IsBlank(next) ? State.BeforeName : IsToken(next) ? State.Name : null,
            State.Name => IsToken(next) ? State.Name : AfterName(next),
            State.AfterName => AfterName(next),
            State.BeforeValue => IsBlank(next) ? State.BeforeValue : next == (byte)'"' ? State.Quoted : IsToken(next) ? State.Value : null,
            State.Value => IsToken(next) ? State.Value : AfterValue(next),
            State.Quoted => next == (byte)'"' ? State.AfterQuoted : next == (byte)'\\' ? State.Escaped : IsText(next) ? State.Quoted : null,
            State.Escaped => IsText(next) ? State.Quoted : null,
            _ => AfterValue(next),
        };
        _state = state ?? _state;
        return state is not null;
    }

    private static State? AfterName(byte next) => next switch
    {
        (byte)'=' => State.BeforeValue,
        (byte)';' => State.BeforeName,
        _ => IsBlank(next) ? State.AfterName : null,
    };

    private static State? AfterValue(byte next) => next == (byte)';' ? State.BeforeName : IsBlank(next) ? State.AfterValue : null;

    private static bool IsBlank(byte next) => next is (byte)' ' or (byte)'\t';

    private static bool IsToken(byte next) => Grammar.TokenBytes.Contains(next);

    private static bool IsText(byte next) => !Grammar.ControlBytes.Contains(next);
}
