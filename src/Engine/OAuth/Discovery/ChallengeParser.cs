using System.Buffers;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Reads the challenges of one <c>WWW-Authenticate</c> field value.</summary>
/// <remarks>
/// RFC 9110 §11.6.1: <c>challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]</c>. A field value is a list of challenges, so a comma may separate two
/// parameters or two challenges. What follows after a syntax error is not read.
/// </remarks>
internal ref struct ChallengeParser
{
    // The maximum number of characters that are read of a field value. Genuine challenges are shorter. The server that sends it is not trusted yet.
    private const int MaxLength = 16 * 1024;
    private const int MaxChallenges = 32;

    private readonly List<Challenge> _found;
    private ReadOnlySpan<char> _rest;
    private Dictionary<string, string>? _parameters;

    private ChallengeParser(ReadOnlySpan<char> value)
    {
        _rest = value;
        _found = [];
    }

    public static IReadOnlyList<Challenge> Parse(string fieldValue)
    {
        var parser = new ChallengeParser(fieldValue.AsSpan(0, Math.Min(fieldValue.Length, MaxLength)));
        while (parser._found.Count < MaxChallenges && parser.TakeElement())
        {
        }

        return parser._found;
    }

    private bool TakeElement()
    {
        _rest = _rest.TrimStart(" \t,");
        string name = TakeRun(Grammar.TokenCharacters);
        if (name.Length == 0)
        {
            return false;
        }

        return NextIs('=') ? TakeParameter(name) : TakeScheme(name);
    }

    private bool TakeScheme(string scheme)
    {
        _parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        _found.Add(new Challenge(scheme, _parameters));
        if (_rest.Length == 0 || _rest[0] is not (' ' or '\t'))
        {
            return _rest.Length > 0 && _rest[0] == ',';
        }

        SkipToken68();
        return true;
    }

    // Instead of parameters a challenge may have a token68: a single word, after which the challenge ends.
    private void SkipToken68()
    {
        ReadOnlySpan<char> word = _rest.TrimStart(" \t");
        int length = LengthOfRun(word, Grammar.Token68Characters);
        ReadOnlySpan<char> after = word[length..].TrimStart('=').TrimStart(" \t");
        if (length > 0 && (after.Length == 0 || after[0] == ','))
        {
            _rest = after;
        }
    }

    // auth-param = token BWS "=" BWS ( token / quoted-string )
    private bool TakeParameter(string name)
    {
        _rest = _rest.TrimStart(" \t")[1..].TrimStart(" \t");
        string? value = _rest.Length > 0 && _rest[0] == '"' ? TakeQuoted() : TakeRun(Grammar.TokenCharacters);
        if (value is null || _parameters is null)
        {
            return false;
        }

        _parameters.TryAdd(name, value);
        _rest = _rest.TrimStart(" \t");
        return _rest.Length > 0 && _rest[0] == ',';
    }

    private string? TakeQuoted()
    {
        var text = new StringBuilder();
        for (int index = 1; index < _rest.Length; index++)
        {
            char character = _rest[index];
            if (character == '"')
            {
                _rest = _rest[(index + 1)..];
                return text.ToString();
            }

            if (character == '\\' && ++index < _rest.Length)
            {
                character = _rest[index];
            }

            text.Append(character);
        }

        return null;
    }

    private readonly bool NextIs(char character) => _rest.TrimStart(" \t") is { Length: > 0 } next && next[0] == character;

    private string TakeRun(SearchValues<char> characters)
    {
        int length = LengthOfRun(_rest, characters);
        string run = _rest[..length].ToString();
        _rest = _rest[length..];
        return run;
    }

    private static int LengthOfRun(ReadOnlySpan<char> text, SearchValues<char> characters)
    {
        int length = text.IndexOfAnyExcept(characters);
        return length < 0 ? text.Length : length;
    }
}
