using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Admission;

/// <summary>What browsers on other origins are told, if the operator lists those origins (Fetch §3.2). Never a wildcard, never with credentials.</summary>
/// <remarks>The upstream's own <c>Access-Control-*</c> lines have to be dropped if this rule speaks: browsers refuse an answer that says it twice.</remarks>
internal sealed class CorsRule
{
    /// <summary>Longest list of field names that is allowed as it was asked for.</summary>
    private const int MaxAskedBytes = 2048;

    // Chromium keeps a preflight for two hours at most, whatever it is told.
    private const string PreflightLines =
        "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"
        + "Access-Control-Max-Age: 7200\r\n"
        + "Access-Control-Allow-Headers: ";

    private const string UsualNames = "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID";

    private const string AnswerLines = "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\r\n";

    // Said to everyone, or a cache would hand one origin's answer to another (Fetch §3.2.5).
    private static readonly byte[] VaryLine = "Vary: Origin\r\n"u8.ToArray();

    private readonly Entry[] _entries;

    /// <exception cref="ArgumentException">An entry is not an origin.</exception>
    public CorsRule(IReadOnlyCollection<string> corsOrigins) =>
        _entries = [.. corsOrigins.Select(origin => Entry.For(WebOrigin.Parse(origin, nameof(corsOrigins))))];

    /// <summary>False if the operator listed no origin: then nothing is answered and nothing is added.</summary>
    public bool IsOn => _entries.Length > 0;

    /// <summary>The field lines, each with its CRLF, to add to every answer to a request with this <c>Origin</c> (empty: it had none).</summary>
    public ReadOnlyMemory<byte> AnswerLinesFor(ReadOnlySpan<byte> origin) => IsOn ? Find(origin)?.Answer ?? VaryLine : default;

    /// <summary>The field lines of a 204 that answers a preflight; false if this origin gets none.</summary>
    /// <remarks>
    /// A preflight is OPTIONS with <c>Origin</c> and <c>Access-Control-Request-Method</c>. It carries no token, so it is answered before any is asked for.
    /// An origin on the list may send the fields that it asks for: which ones there are, the servers and their clients decide (<c>Mcp-Param-*</c>, trace
    /// context).
    /// </remarks>
    /// <param name="origin">The request's <c>Origin</c>.</param>
    /// <param name="asked">The names in <c>Access-Control-Request-Headers</c>; empty for none. What is not a plain list of names is answered with the usual
    /// ones.</param>
    /// <param name="fieldLines">Complete field lines.</param>
    public bool TryAnswerPreflight(ReadOnlySpan<byte> origin, ReadOnlySpan<byte> asked, out ReadOnlyMemory<byte> fieldLines)
    {
        Entry? entry = Find(origin);
        bool isPlain = !asked.IsEmpty && asked.Length <= MaxAskedBytes && IsListOfNames(asked);
        fieldLines = entry is null ? default(ReadOnlyMemory<byte>)
            : (byte[])[.. entry.Preflight, .. isPlain ? asked : Encoding.ASCII.GetBytes(UsualNames), .. "\r\n"u8];
        return entry is not null;
    }

    /// <summary><c>1#field-name</c>, RFC 9110 §5.6.1: no empty element, and blanks only around the commas.</summary>
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
