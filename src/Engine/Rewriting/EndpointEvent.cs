using System.Diagnostics;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>
/// Rewrites the <c>endpoint</c> event with which a stream of the transport HTTP+SSE (MCP 2024-11-05) begins. The event names the URL to which the client posts.
/// If that URL is on the upstream's own origin, the client would bypass the proxy. So only its path and query are kept.
/// </summary>
/// <remarks>
/// The bytes are changed in place, and their number stays the same: a comment line is put before the event, with the length of the part that was cut from the
/// URL. Every reader of event streams skips comments. So the framing stays valid, whether it is a length or chunks. The stream is read only up to the end of
/// its first event. Only bytes that may belong to an <c>endpoint</c> event are held back; a client could not use them before the event is complete.
/// </remarks>
/// <param name="origin">The origin of the upstream.</param>
/// <param name="announced">Called with the event's URL, without the upstream's origin, before the client can see it. Null if nobody needs the URL.</param>
internal sealed class EndpointEvent(UpstreamOrigin origin, Action<string>? announced = null)
{
    /// <summary>The maximum number of received bytes that are inspected. If the event is longer, it passes unchanged.</summary>
    public const int MaxBytes = 4 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private enum Verdict
    {
        /// <summary>The first event is not complete: the bytes received so far could become either of the other two cases.</summary>
        Open,

        /// <summary>
        /// Nothing is to be done: the first event is not an <c>endpoint</c> event, or its URL need not be changed, and no one needs to be told of it.
        /// </summary>
        Other,

        /// <summary>The first event is an <c>endpoint</c> event, and its URL has been received completely.</summary>
        Found,
    }

    /// <summary>Inspects the next bytes of a body, and may change them.</summary>
    /// <param name="framing">The framing of the body, read up to these bytes.</param>
    /// <param name="received">The bytes that were received and not yet forwarded.</param>
    /// <param name="isOver">Whether the rest of the body is forwarded without inspection.</param>
    /// <returns>How many of the bytes may be forwarded now. The others must be passed again, together with later ones.</returns>
    public int Look(in BodyFraming framing, Memory<byte> received, out bool isOver)
    {
        int most = Math.Min(received.Length, MaxBytes);
        Span<byte> room = stackalloc byte[MaxBytes];
        Span<ushort> places = stackalloc ushort[MaxBytes];
        int length = Unframe(framing, received.Span[..most], room, places, out bool isEnd);
        Span<byte> text = room[..length];

        Verdict verdict = Read(text, out int eventStart, out int urlStart, out int urlEnd);
        if (verdict is Verdict.Found)
        {
            Announce(text[urlStart..urlEnd]);
        }

        if (verdict is Verdict.Found && TryChange(text, eventStart, urlStart, urlEnd))
        {
            for (int i = eventStart; i < urlEnd; i++)
            {
                received.Span[places[i]] = text[i];
            }
        }

        isOver = verdict is not Verdict.Open || isEnd || most == MaxBytes;
        return isOver ? received.Length
            : eventStart < length ? places[eventStart]
            : most;
    }

    /// <summary>Copies the data of the body out of its framing.</summary>
    /// <param name="framing">The framing of the body.</param>
    /// <param name="received">The bytes.</param>
    /// <param name="text">Receives the data.</param>
    /// <param name="places">Receives, for each byte of data, its index in the received bytes.</param>
    /// <param name="isEnd">Whether the body ends here or its framing is broken.</param>
    /// <returns>The number of bytes of data.</returns>
    private static int Unframe(in BodyFraming framing, ReadOnlySpan<byte> received, Span<byte> text, Span<ushort> places, out bool isEnd)
    {
        Debug.Assert(received.Length <= text.Length && text.Length <= places.Length, "There is room for all of it.");
        BodyFraming data = framing.AsDataFromHere();
        var walk = new BodyWalk(ref data, received);
        int length = 0;
        while (walk.MoveNext())
        {
            for (int i = 0; i < walk.RunLength; i++)
            {
                text[length] = received[walk.RunStart + i];
                places[length++] = (ushort)(walk.RunStart + i);
            }
        }

        isEnd = walk.Violation is not Violation.None || data.IsComplete;
        return length;
    }

    /// <summary>Reads the lines of the stream up to the URL of its first event.</summary>
    /// <remarks>HTML §9.2.6: lines end in CR LF, LF or CR; a line that is empty ends an event; one that begins with a colon is a comment.</remarks>
    /// <param name="text">The stream so far.</param>
    /// <param name="eventStart">Where the first event begins that may be an <c>endpoint</c> event. The bytes before it may be sent.</param>
    /// <param name="urlStart">Where the URL begins. Valid if the result is <c>Found</c>.</param>
    /// <param name="urlEnd">The position after the URL. Valid if the result is <c>Found</c>.</param>
    private Verdict Read(ReadOnlySpan<byte> text, out int eventStart, out int urlStart, out int urlEnd)
    {
        int at = text.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        eventStart = at;
        urlStart = urlEnd = 0;
        bool isNamed = false;
        while (true)
        {
            ReadOnlySpan<byte> rest = text[at..];
            int lineLength = rest.IndexOfAny((byte)'\r', (byte)'\n');
            if (lineLength < 0)
            {
                return MayBecome(rest, isNamed) ? Verdict.Open : Verdict.Other;
            }

            int next = at + lineLength + (rest[lineLength..] is [(byte)'\r', (byte)'\n', ..] ? 2 : 1);
            ReadOnlySpan<byte> line = rest[..lineLength];
            if (TryReadField(line, "data"u8, out int valueStart))
            {
                urlStart = urlEnd > 0 ? urlStart : at + valueStart;
                urlEnd = urlEnd > 0 ? urlEnd : at + lineLength;
                if (origin.Behind(text[urlStart..urlEnd]).IsEmpty && !IsToAnnounce(text[urlStart..urlEnd], isNamed))
                {
                    return Verdict.Other;
                }
            }
            else if (TryReadField(line, "event"u8, out valueStart))
            {
                isNamed = line[valueStart..].SequenceEqual("endpoint"u8);
                if (!isNamed)
                {
                    return Verdict.Other;
                }
            }
            else if (line.IsEmpty && urlEnd > 0)
            {
                return Verdict.Other; // an event with data but without a name is complete
            }
            else if (line.IsEmpty || !(isNamed || urlEnd > 0))
            {
                eventStart = next; // no line so far belongs to an endpoint event, so the lines up to here, such as comments, are not held back
                isNamed = false;
            }

            if (isNamed && urlEnd > 0)
            {
                return Verdict.Found;
            }

            at = next;
        }
    }

    /// <summary>
    /// Whether an incomplete line may be part of an <c>endpoint</c> event that is to be changed or announced, or may come before one. If not, nothing is held
    /// back.
    /// </summary>
    private bool MayBecome(ReadOnlySpan<byte> line, bool isNamed)
    {
        if (line.StartsWith("event:"u8))
        {
            return "endpoint"u8.StartsWith(line["event:"u8.Length..].TrimStart((byte)' '));
        }

        if (line.StartsWith("data:"u8))
        {
            ReadOnlySpan<byte> url = line["data:"u8.Length..].TrimStart((byte)' ');
            return origin.MayBegin(url) || IsToAnnounce(url, isNamed);
        }

        return line is [] or [(byte)':', ..]
            || "event:"u8.StartsWith(line)
            || "data:"u8.StartsWith(line)
            || "retry:"u8.StartsWith(line) || line.StartsWith("retry:"u8)
            || "id:"u8.StartsWith(line) || line.StartsWith("id:"u8)
            || ByteOrderMark.StartsWith(line);
    }

    /// <summary>Whether the URL may have to be announced: any URL once the name <c>endpoint</c> has been read; before that, only a path.</summary>
    private bool IsToAnnounce(ReadOnlySpan<byte> url, bool isNamed) => announced is not null && (isNamed || url is [(byte)'/', ..]);

    private void Announce(ReadOnlySpan<byte> url)
    {
        ReadOnlySpan<byte> path = origin.Behind(url);
        announced?.Invoke(Encoding.ASCII.GetString(path.IsEmpty ? url : path));
    }

    /// <summary>Reads one line <c>name: value</c>. One space after the colon is not part of the value.</summary>
    private static bool TryReadField(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out int valueStart)
    {
        bool isField = line.Length > name.Length && line.StartsWith(name) && line[name.Length] == (byte)':';
        valueStart = !isField ? 0 : line[(name.Length + 1)..] is [(byte)' ', ..] ? name.Length + 2 : name.Length + 1;
        return isField;
    }

    /// <summary>
    /// Removes the origin from the URL, and moves the event's lines before the rest of the URL right by the same length. A comment line fills the gap, so the
    /// total length stays the same.
    /// </summary>
    /// <returns>
    /// False if the URL is on another origin, or if what would be kept of it could be read as a URL of another host. Then nothing is changed.
    /// </returns>
    private bool TryChange(Span<byte> text, int eventStart, int urlStart, int urlEnd)
    {
        ReadOnlySpan<byte> path = origin.Behind(text[urlStart..urlEnd]);
        bool hasPath = path is [(byte)'/', ..];

        // A URL on another origin stays unchanged. So does one whose path begins with `//`, or contains a byte that a target must not contain, such as `\` or a
        // space: browsers read `//host` and `/\host` as another host.
        if (path.IsEmpty || path is [(byte)'/', (byte)'/', ..] || path.ContainsAny(Grammar.ForbiddenInTarget))
        {
            return false;
        }

        int taken = urlEnd - urlStart - path.Length - (hasPath ? 0 : 1);
        Debug.Assert(taken >= 2, "An origin is longer than an empty comment.");
        text[eventStart..urlStart].CopyTo(text[(eventStart + taken)..]);
        text.Slice(eventStart, taken).Fill((byte)' ');
        text[eventStart] = (byte)':';
        text[eventStart + taken - 1] = (byte)'\n';
        if (!hasPath)
        {
            text[urlStart + taken] = (byte)'/';
        }

        return true;
    }
}
