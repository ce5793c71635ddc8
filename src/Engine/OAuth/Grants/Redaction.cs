using System.Buffers.Text;
using System.Text;

namespace McpProxyFast.OAuth.Grants;

/// <summary>What went out with one request and must not come back in a message: a server's description of an error may repeat it.</summary>
/// <remarks>
/// Known in every spelling in which a server may have seen it: as it is, percent-encoded in part or whole, by either case of hexadecimal digits, once or
/// several times, form-encoded with <c>+</c> for blanks, and in either alphabet of Base64. Of a secret, a part is known too (<see cref="SecretParts"/>).
/// </remarks>
internal sealed class Redaction
{
    /// <summary>Least length of a value that may be a secret, in characters.</summary>
    private const int MinPossible = 4;

    /// <summary>Most characters of a text that are searched; messages show fewer. A server may send a megabyte that nearly repeats its token.</summary>
    private const int MaxText = 8 * 1024;

    private static readonly byte[] Shown = "(redacted)"u8.ToArray();

    /// <summary>The secrets, and their Base64 forms, in UTF-8.</summary>
    private readonly List<byte[]> _secrets = [];

    public void Add(params ReadOnlySpan<string?> secrets)
    {
        foreach (string? secret in secrets)
        {
            if (secret is { Length: > 0 })
            {
                byte[] bytes = Encoding.UTF8.GetBytes(secret);
                string base64 = Convert.ToBase64String(bytes);
                _secrets.AddRange([bytes, Encoding.ASCII.GetBytes(base64.TrimEnd('=')), Encoding.ASCII.GetBytes(Base64Url.EncodeToString(bytes))]);
            }
        }
    }

    /// <summary>
    /// Adds values that may be secrets or not, such as parameters of the operator's. Those below <see cref="MinPossible"/> characters protect nothing, and
    /// would be found in every message.
    /// </summary>
    public void AddPossible(IEnumerable<string> values) => Add([.. values.Where(value => value.Length >= MinPossible)]);

    /// <summary>Adds the values in a URL's query, in which some servers want a secret.</summary>
    public void AddQueryOf(string url)
    {
        int start = url.IndexOf('?', StringComparison.Ordinal);
        string[] parts = start < 0 ? [] : url[(start + 1)..].Split('#')[0].Split('&');
        AddPossible(parts.Select(part => Uri.UnescapeDataString(part[(part.IndexOf('=', StringComparison.Ordinal) + 1)..])));
    }

    /// <summary>Whether a text holds one of the secrets.</summary>
    public bool IsIn(string text) => Of(text) != text;

    /// <summary>The text without secrets, and without what lies beyond <see cref="MaxText"/>.</summary>
    public string? Of(string? text)
    {
        if (text is null)
        {
            return null;
        }

        bool isCut = text.Length > MaxText;
        byte[] bytes = Encoding.UTF8.GetBytes(isCut ? text[..MaxText] : text);
        bool[] isSecret = new bool[bytes.Length];
        SecretParts.Mark(bytes, _secrets, isSecret);
        for (int at = 0; at < bytes.Length; at++)
        {
            if (!isSecret[at] && LongestSecretAt(bytes.AsSpan(at), isCut) is var length and > 0)
            {
                isSecret.AsSpan(at, length).Fill(true);
            }
        }

        return Show(bytes, isSecret);
    }

    /// <summary>The text with one mark in the place of each run of bytes that must not be shown.</summary>
    private static string Show(byte[] text, bool[] isSecret)
    {
        WidenToCharacters(text, isSecret);
        var shown = new MemoryStream(text.Length);
        for (int at = 0; at < text.Length; at++)
        {
            bool isWithin = isSecret[at] && at > 0 && isSecret[at - 1];
            shown.Write(!isSecret[at] ? text.AsSpan(at, 1) : isWithin ? [] : Shown);
        }

        return Encoding.UTF8.GetString(shown.GetBuffer(), 0, (int)shown.Length);
    }

    /// <summary>A character of several bytes is shown whole or not at all.</summary>
    private static void WidenToCharacters(byte[] text, bool[] isSecret)
    {
        for (int at = text.Length - 1; at > 0; at--)
        {
            isSecret[at - 1] |= isSecret[at] && IsContinuation(text[at]);
        }

        for (int at = 1; at < text.Length; at++)
        {
            isSecret[at] |= isSecret[at - 1] && IsContinuation(text[at]);
        }
    }

    private static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;

    private int LongestSecretAt(ReadOnlySpan<byte> text, bool isCut)
    {
        int longest = 0;
        foreach (byte[] secret in _secrets)
        {
            // A secret that holds a percent sign may look encoded where it is not.
            int length = Math.Max(Match(text, secret, decodes: true, isCut), Match(text, secret, decodes: false, isCut));
            longest = Math.Max(longest, length);
        }

        return longest;
    }

    /// <returns>How much of the text spells the secret; 0 where its start does not. Where the text was cut, its end may be the start of a secret.</returns>
    private static int Match(ReadOnlySpan<byte> text, ReadOnlySpan<byte> secret, bool decodes, bool isCut)
    {
        int at = 0;
        foreach (byte expected in secret)
        {
            if (at == text.Length)
            {
                return isCut ? at : 0;
            }

            int length = decodes && PercentCode.Decode(text[at..], out int encoded) == expected ? encoded
                : text[at] == expected || (expected == ' ' && text[at] == '+') ? 1
                : 0;
            if (length == 0)
            {
                return 0;
            }

            at += length;
        }

        return at;
    }
}
