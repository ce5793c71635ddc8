using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Admission;

/// <summary>
/// Makes the CORS fields for web pages of the origins that the operator has listed (Fetch §3.2). They never have a wildcard or allow credentials.
/// </summary>
/// <remarks>
/// If this rule is on, the upstream's own <c>Access-Control-*</c> lines must be dropped, since browsers refuse a response that has such a field twice.
/// </remarks>
internal sealed class CorsRule
{
    /// <summary>The maximum length, in bytes, of the list of field names in a preflight. If it is longer, only the usual names are allowed.</summary>
    private const int MaxAskedBytes = 2048;

    // Chromium caches a preflight for at most two hours, so a larger value has no effect.
    private const string PreflightLines =
        "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"
        + "Access-Control-Max-Age: 7200\r\n"
        + "Access-Control-Allow-Headers: ";

    private const string UsualNames = "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID";

    private const string AnswerLines = "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\r\n";

    // While the rule is on, every response has this line. Otherwise a cache could give the response for one origin to another origin (Fetch §3.2.5).
    private static readonly byte[] VaryLine = "Vary: Origin\r\n"u8.ToArray();

    private readonly Entry[] _entries;

    /// <exception cref="ArgumentException">An entry of the list is not an origin.</exception>
    public CorsRule(IReadOnlyCollection<string> corsOrigins) =>
        _entries = [.. corsOrigins.Select(origin => Entry.For(WebOrigin.Parse(origin, nameof(corsOrigins))))];

    /// <summary>Whether the operator has listed any origin. If not, the proxy answers no preflight and adds no field.</summary>
    public bool IsOn => _entries.Length > 0;

    /// <summary>
    /// Returns the field lines, each with its CRLF, for the response to a request with this <c>Origin</c>, which is empty if the request has none.
    /// </summary>
    public ReadOnlyMemory<byte> AnswerLinesFor(ReadOnlySpan<byte> origin) => IsOn ? Find(origin)?.Answer ?? VaryLine : default;

    /// <summary>Makes the field lines of the 204 that answers a preflight. Returns false if this origin is not listed.</summary>
    /// <remarks>
    /// A preflight is OPTIONS with <c>Origin</c> and <c>Access-Control-Request-Method</c>. It has no token, so it is answered before tokens are checked. A
    /// listed origin may send all fields that it asks for, since the proxy cannot know which fields clients and servers use (<c>Mcp-Param-*</c>, trace
    /// context).
    /// </remarks>
    /// <param name="origin">The request's <c>Origin</c>.</param>
    /// <param name="asked">
    /// The value of <c>Access-Control-Request-Headers</c>; empty if there is none. If it is not a list of names or is too long, the usual names are allowed.
    /// </param>
    /// <param name="fieldLines">The complete field lines; empty if the origin is not listed.</param>
    public bool TryAnswerPreflight(ReadOnlySpan<byte> origin, ReadOnlySpan<byte> asked, out ReadOnlyMemory<byte> fieldLines)
    {
        Entry? entry = Find(origin);
        bool isPlain = !asked.IsEmpty && asked.Length <= MaxAskedBytes && IsListOfNames(asked);
        fieldLines = entry is null ? default(ReadOnlyMemory<byte>)
            : (byte[])[.. entry.Preflight, .. isPlain ? asked : Encoding.ASCII.GetBytes(UsualNames), .. "\r\n"u8];
        return entry is not null;
    }

    /// <summary>Whether a value is <c>1#field-name</c> (RFC 9110 §5.6.1), without empty elements and with spaces only around the commas.</summary>
    private static bool IsListOfNames(ReadOnlySpan<byte> list)
    {
        foreach (Range element in list.Split((byte)','))
        {
            ReadOnlySpan<byte> name = list[element].Trim((byte)' ');
            if (name.IsEmpty || name.ContainsAnyExcept(Grammar.TokenBytes))
            {
                return false;
            }
        }

        return true;
    }

    private Entry? Find(ReadOnlySpan<byte> origin)
    {
        foreach (Entry entry in _entries)
        {
            if (Ascii.EqualsIgnoreCase(entry.Origin, origin))
            {
                return entry;
            }
        }

        return null;
    }

    private sealed record Entry(byte[] Origin, byte[] Answer, byte[] Preflight)
    {
        public static Entry For(string origin)
        {
            string common = $"Access-Control-Allow-Origin: {origin}\r\nVary: Origin\r\n";
            return new Entry(
                Encoding.ASCII.GetBytes(origin),
                Encoding.ASCII.GetBytes(common + AnswerLines),
                Encoding.ASCII.GetBytes(common + PreflightLines));
        }
    }
}
