using System.Diagnostics;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>The names of fields that the proxy sends itself. Received lines with these names are not forwarded.</summary>
/// <remarks>Some servers treat <c>_</c> like <c>-</c>, so a line whose name differs from one of these only in that is not forwarded either.</remarks>
internal sealed class ReplacedNames
{
    /// <summary>The names in lower case, with <c>-</c> instead of <c>_</c>.</summary>
    private readonly byte[][] _names;

    /// <summary>
    /// One bit for each length that a name has: bit n for length n, and bit 63 also for every greater length. So for most lines of a head, one check shows that
    /// no name matches.
    /// </summary>
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

    /// <summary>Whether one of the names may have this length. If not, as for most lines of a head, the names need not be compared.</summary>
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
