using System.Buffers.Text;
using System.Text;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Removes the secrets of one request from messages about its answer, since the error description of a server may repeat them.</summary>
/// <remarks>
/// A secret is found in every form in which a server may repeat it: unchanged; percent-encoded in part or as a whole, once or several times, with upper-case or
/// lower-case digits; form-encoded with <c>+</c> for spaces; in either alphabet of Base64. A part of a secret is found too (<see cref="SecretParts"/>).
/// </remarks>
internal sealed class Redaction
{
    /// <summary>The minimum length, in characters, of a value that may be a secret. Shorter ones are not removed.</summary>
    private const int MinPossible = 4;

    /// <summary>
    /// The maximum number of characters of a text that are searched; the rest is cut off. Messages show fewer. If a server sent a megabyte of text that nearly
    /// matches a token, searching all of it would take too long.
    /// </summary>
    private const int MaxText = 8 * 1024;

    private static readonly byte[] Shown = "(redacted)"u8.ToArray();

    /// <summary>The secrets, and their Base64 forms, as UTF-8 bytes.</summary>
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
    /// Adds values that may or may not be secrets, such as the operator's own parameters. Values of less than <see cref="MinPossible"/> characters are not
    /// added: they are too short to be secrets, and would be found in nearly every message.
    /// </summary>
    public void AddPossible(IEnumerable<string> values) => Add([.. values.Where(value => value.Length >= MinPossible)]);

    /// <summary>Adds the values in a URL's query, since some servers expect a secret in their URL.</summary>
    public void AddQueryOf(string url)
    {
        int start = url.IndexOf('?', StringComparison.Ordinal);
        string[] parts = start < 0 ? [] : url[(start + 1)..].Split('#')[0].Split('&');
        AddPossible(parts.Select(part => Uri.UnescapeDataString(part[(part.IndexOf('=', StringComparison.Ordinal) + 1)..])));
    }

    /// <summary>Whether a text contains one of the secrets, or is longer than <see cref="MaxText"/>.</summary>
    public bool IsIn(string text) => Of(text) != text;

    /// <summary>
    /// Returns the text with each secret replaced by <c>(redacted)</c>, and cut after <see cref="MaxText"/> characters; null if the text is null.
    /// </summary>
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

    /// <summary>Returns the text with <c>(redacted)</c> in place of each run of marked bytes.</summary>
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

    /// <summary>Marks all bytes of a character if one of its bytes is marked, so that no part of a character is shown.</summary>
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
            // A secret may itself contain a percent sign, so the text is compared both decoded and as it is.
            int length = Math.Max(Match(text, secret, decodes: true, isCut), Match(text, secret, decodes: false, isCut));
            longest = Math.Max(longest, length);
        }

        return longest;
    }

    /// <returns>
    /// How many bytes at the start of the text are the secret; 0 if the text does not start with it. If the text was cut, it is enough that the text ends
    /// within the secret.
    /// </returns>
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
