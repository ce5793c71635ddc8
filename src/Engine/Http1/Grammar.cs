using System.Buffers;
using System.Net;
using System.Text;

namespace McpProxyFast.Http1;

/// <summary>The sets of bytes that RFC 9110 and RFC 9112 define, and checks with them.</summary>
internal static class Grammar
{
    private const string Alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary><c>tchar</c>, RFC 9110 §5.6.2: the characters of a token.</summary>
    private const string Tchar = "!#$%&'*+-.^_`|~" + Alphanumeric;

    /// <summary>The characters of <c>token68</c> (RFC 9110 §11.2) and <c>b64token</c> (RFC 6750 §2.1), without the padding <c>=</c> at the end.</summary>
    private const string Token68 = "-._~+/" + Alphanumeric;

    /// <inheritdoc cref="Tchar"/>
    public static readonly SearchValues<byte> TokenBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Tchar));

    /// <inheritdoc cref="Tchar"/>
    public static readonly SearchValues<char> TokenCharacters = SearchValues.Create(Tchar);

    /// <inheritdoc cref="Token68"/>
    public static readonly SearchValues<byte> Token68Bytes = SearchValues.Create(Encoding.ASCII.GetBytes(Token68));

    /// <inheritdoc cref="Token68"/>
    public static readonly SearchValues<char> Token68Characters = SearchValues.Create(Token68);

    /// <summary>
    /// All control bytes but HTAB. None may occur in a field value (RFC 9110 §5.5), so the first one after the start of a line must be the CR that ends it.
    /// </summary>
    public static readonly SearchValues<byte> ControlBytes = SearchValues.Create(Controls());

    /// <summary>
    /// The bytes that a request target must not contain: controls, space, non-ASCII, <c>#</c>, and the delimiters that RFC 3986 §2 does not allow and that
    /// servers interpret differently.
    /// </summary>
    public static readonly SearchValues<byte> ForbiddenInTarget = SearchValues.Create(TargetStops());

    /// <summary>
    /// The bytes of a host name or an IPv4 address. The sub-delims of RFC 3986, such as the comma, are left out: no real host has them, and so a list of hosts
    /// is refused.
    /// </summary>
    public static readonly SearchValues<byte> HostBytes =
        SearchValues.Create("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>The bytes between the brackets of an IPv6 literal, RFC 3986 §3.2.2.</summary>
    public static readonly SearchValues<byte> Ipv6Bytes = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    public static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789"u8);

    public static ReadOnlySpan<byte> Blanks => " \t"u8;

    /// <summary>Whether a text is a <c>token</c>, RFC 9110 §5.6.2.</summary>
    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenCharacters);

    public static ReadOnlySpan<byte> TrimBlanks(ReadOnlySpan<byte> value) => value.Trim(Blanks);

    /// <summary>The value of one hexadecimal digit; -1 for any other byte.</summary>
    public static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };

    /// <summary>Whether the bytes are <c>host [ ":" port ]</c>, RFC 9110 §7.2, without user information, list or empty port.</summary>
    public static bool IsAuthority(ReadOnlySpan<byte> authority)
    {
        int hostLength = HostLength(authority);
        if (hostLength <= 0)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = authority[hostLength..];
        return rest.IsEmpty || (rest[0] == (byte)':' && IsPort(rest[1..]));
    }

    /// <summary>The length of the host in an authority, without the colon and the port; -1 if there is no valid host.</summary>
    public static int HostLength(ReadOnlySpan<byte> authority)
    {
        if (authority.IsEmpty)
        {
            return -1;
        }

        if (authority[0] == (byte)'[')
        {
            int close = authority.IndexOf((byte)']');
            return close > 2 && IsIpv6(authority[1..close]) ? close + 1 : -1;
        }

        int length = authority.IndexOfAnyExcept(HostBytes);
        length = length < 0 ? authority.Length : length;

        // A dot may end the name, but otherwise no label may be empty: some resolvers refuse such a name, others repair it.
        return authority[0] == (byte)'.' || authority[..length].IndexOf(".."u8) >= 0 ? -1 : length;
    }

    /// <summary>Whether the bytes are an IPv6 address without a zone. An IPv4 address in brackets is not one.</summary>
    private static bool IsIpv6(ReadOnlySpan<byte> address) =>
        address.Contains((byte)':') && !address.ContainsAnyExcept(Ipv6Bytes) && IPAddress.IsValidUtf8(address);

    private static bool IsPort(ReadOnlySpan<byte> port)
    {
        if (port.IsEmpty || port.Length > 5 || port.ContainsAnyExcept(Digits))
        {
            return false;
        }

        int number = 0;
        foreach (byte digit in port)
        {
            number = (number * 10) + digit - '0';
        }

        return number <= ushort.MaxValue;
    }

    private static byte[] Controls() =>
        [.. Enumerable.Range(0, 256).Select(value => (byte)value).Where(value => value is < 0x20 and not (byte)'\t' or 0x7F)];

    private static byte[] TargetStops() =>
        [.. Enumerable.Range(0, 256).Select(value => (byte)value).Where(value => value is <= 0x20 or >= 0x7F || "#\\<>\""u8.Contains(value))];
}
