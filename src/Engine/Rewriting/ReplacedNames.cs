using System.Diagnostics;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>The names of fields that the proxy sends itself: received lines with them do not go on.</summary>
/// <remarks>Some servers take <c>_</c> for <c>-</c>. So a line whose name differs only in that is dropped too.</remarks>
internal sealed class ReplacedNames
{
    /// <summary>The names in lower case, with <c>-</c> for <c>_</c>.</summary>
    private readonly byte[][] _names;

    /// <summary>A bit for each length that a name has, so that most lines cost one look; the last bit is for all lengths from there on.</summary>
    private readonly ulong _lengths;

    public ReplacedNames(params string[] names)
    {
        _names = Array.ConvertAll(names, name => Encoding.ASCII.GetBytes(name.ToLowerInvariant().Replace('_', '-')));
        foreach (byte[] name in _names)
        {
            Debug.Assert(name.Length > 0 && !name.AsSpan().ContainsAnyExcept(Grammar.TokenBytes), "A field name is a token.");
            _lengths |= BitOf(name.Length);
        }
    }

    /// <summary>Whether a name has this length. Of a head's names few pass, and the bytes of the others need not be looked at.</summary>
    public bool HasLength(int length) => (_lengths & BitOf(length)) != 0;

    public bool Has(ReadOnlySpan<byte> name)
    {
        if (!HasLength(name.Length))
        {
            return false;
        }

        foreach (byte[] own in _names)
        {
            if (own.Length == name.Length && IsSame(name, own))
            {
                return true;
            }
        }

        return false;
    }

    private static ulong BitOf(int length) => 1UL << Math.Min(length, 63);

    private static bool IsSame(ReadOnlySpan<byte> name, ReadOnlySpan<byte> own)
    {
        for (int i = 0; i < name.Length; i++)
        {
            byte folded = name[i] switch
            {
                (byte)'_' => (byte)'-',
                >= (byte)'A' and <= (byte)'Z' => (byte)(name[i] | 0x20),
                _ => name[i],
            };
            if (folded != own[i])
            {
                return false;
            }
        }

        return true;
    }
}
