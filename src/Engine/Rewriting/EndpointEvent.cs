using System.Diagnostics;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>
/// The <c>endpoint</c> event with which a stream of the transport HTTP+SSE (MCP 2024-11-05) begins: it says where the client posts to. A URL on the upstream's
/// own origin would lead the client past the proxy, and becomes path and query alone.
/// </summary>
/// <remarks>
/// The bytes are changed where they lie, and their number stays the same: what the URL loses, a comment line before the event gains, which every reader of
/// event streams skips. So no framing is touched, whether it is a length or chunks, and however the body is cut. Only the bytes up to the end of the first
/// event are read. Only bytes that may belong to such an event are held back; no client could act on them before the event is whole.
/// </remarks>
/// <param name="origin">The origin of the upstream.</param>
/// <param name="announced">Told what the event names, without the upstream's origin, before the client can see it; null for nobody.</param>
internal sealed class EndpointEvent(UpstreamOrigin origin, Action<string>? announced = null)
{
    /// <summary>Most bytes that are looked at, as received. An event that is longer passes as it came.</summary>
    public const int MaxBytes = 4 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private enum Verdict
    {
        /// <summary>More bytes are needed.</summary>
        Open,

        /// <summary>The first event is, or will be, another one.</summary>
        Other,

        /// <summary>It is the event, and its URL is here whole.</summary>
        Found,
    }

    /// <summary>Looks at the bytes with which a body goes on, and may change them.</summary>
    /// <param name="framing">How the body is framed, and how far it has been read: up to these bytes.</param>
    /// <param name="received">What has come and has not gone on.</param>
    /// <param name="isOver">Nothing of the rest of the body need be looked at.</param>
    /// <returns>How many of the bytes may go on now. The others are to be shown again, with more behind them.</returns>
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
    /// <param name="places">Receives, for each byte of data, where it lies in the received bytes.</param>
    /// <param name="isEnd">The body ends here, or its framing is broken.</param>
    /// <returns>How many bytes of data there are.</returns>
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
    /// <param name="eventStart">Where the first event that may be an <c>endpoint</c> event begins; the bytes before it may be sent.</param>
    /// <param name="urlStart">Where the URL begins; valid if it was found.</param>
    /// <param name="urlEnd">The position after the URL.</param>
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
                return Verdict.Other; // an event without a name
            }
            else if (line.IsEmpty || !(isNamed || urlEnd > 0))
            {
                eventStart = next; // no data: no event; and comments that keep the stream alive are not held back
                isNamed = false;
            }

            if (isNamed && urlEnd > 0)
            {
                return Verdict.Found;
            }

            at = next;
        }
    }

    /// <summary>Whether a line whose end has not come may be one of the event's, or one that may come before it. No other is held back.</summary>
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

    /// <summary>Whether somebody is to be told of the URL: of any that stands behind the event's name, before the name of paths alone.</summary>
    private bool IsToAnnounce(ReadOnlySpan<byte> url, bool isNamed) => announced is not null && (isNamed || url is [(byte)'/', ..]);

    private void Announce(ReadOnlySpan<byte> url)
    {
        ReadOnlySpan<byte> path = origin.Behind(url);
        announced?.Invoke(Encoding.ASCII.GetString(path.IsEmpty ? url : path));
    }

    /// <summary>Reads one line <c>name: value</c>; one space behind the colon is not part of the value.</summary>
    private static bool TryReadField(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out int valueStart)
    {
        bool isField = line.Length > name.Length && line.StartsWith(name) && line[name.Length] == (byte)':';
        valueStart = !isField ? 0 : line[(name.Length + 1)..] is [(byte)' ', ..] ? name.Length + 2 : name.Length + 1;
        return isField;
    }

    /// <summary>
    /// Cuts the origin from the URL and shifts the lines before it right. A comment line of the same length fills the gap, so the length stays the same.
    /// </summary>
    /// <returns>False if it is on another origin, or the rest could be read as leading elsewhere: then nothing is changed.</returns>
    private bool TryChange(Span<byte> text, int eventStart, int urlStart, int urlEnd)
    {
        ReadOnlySpan<byte> path = origin.Behind(text[urlStart..urlEnd]);
        bool hasPath = path is [(byte)'/', ..];

        // A URL that is not on the origin stays. `//host` and `/\host` are another host's address to a browser, and blanks within are dropped before it looks.
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
