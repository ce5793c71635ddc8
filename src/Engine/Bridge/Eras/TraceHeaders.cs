using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Copies the trace context from a message's <c>_meta</c> into HTTP headers (W3C Trace Context), whatever the revision of MCP.</summary>
internal static class TraceHeaders
{
    /// <summary>The length of a <c>traceparent</c> of version 00: 2, 32, 16 and 2 hex digits with a dash between them.</summary>
    private const int ParentLength = 55;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>
    /// Adds <c>traceparent</c> and <c>tracestate</c> if they are well formed. Otherwise they are left out, since a receiver would ignore them.
    /// </summary>
    public static void Add(RpcHead head, List<HeaderField> fields)
    {
        if (head.TraceParent is not { } parent || !IsParent(parent))
        {
            return;
        }

        fields.Add(new HeaderField("traceparent", parent));
        if (head.TraceState is { } state && HeaderText.IsPlain(state))
        {
            fields.Add(new HeaderField("tracestate", state));
        }
    }

    /// <summary>Whether a text is a <c>traceparent</c>: <c>version-trace-parent-flags</c>. Versions after 00 may append more.</summary>
    private static bool IsParent(ReadOnlySpan<char> text)
    {
        bool isLong = text.Length > ParentLength && text[ParentLength] == '-' && !text.StartsWith("00") && HeaderText.IsPlain(text.ToString());
        return (text.Length == ParentLength || isLong)
            && !text.StartsWith("ff")
            && IsHex(text[..2]) && text[2] == '-'
            && IsHex(text[3..35]) && text[3..35].ContainsAnyExcept('0') && text[35] == '-'
            && IsHex(text[36..52]) && text[36..52].ContainsAnyExcept('0') && text[52] == '-'
            && IsHex(text[53..55]);
    }

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);
}
