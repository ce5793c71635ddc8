using System.IO.Pipelines;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>The changes to a response that depend on the single response.</summary>
internal readonly ref struct ResponseEdits
{
    /// <summary>How the body is sent to the client: Length, Chunked, or None if there is no body or the end of the connection ends it.</summary>
    public FramingKind Framing { get; init; }

    /// <summary>
    /// Whether the client speaks HTTP/1.0. If the connection stays open, such a client gets <c>Connection: keep-alive</c>. If not, every client gets
    /// <c>Connection: close</c>.
    /// </summary>
    public bool ClientIsHttp10 { get; init; }

    public bool KeepsAlive { get; init; }

    /// <summary>
    /// The authority that the client used for the proxy. In a <c>Location</c> on the upstream's origin, it replaces the upstream's authority. Empty to leave
    /// <c>Location</c> unchanged.
    /// </summary>
    public ReadOnlySpan<byte> OwnAuthority { get; init; }

    /// <summary>Whether the client uses https to reach the proxy.</summary>
    public bool IsTls { get; init; }

    /// <summary>Complete field lines that the proxy adds, for example for CORS; empty if there are none.</summary>
    public ReadOnlySpan<byte> ExtraLines { get; init; }
}

/// <summary>Turns a received response head into the head that is sent to the client.</summary>
internal sealed class ResponseRewriter
{
    private readonly UpstreamOrigin _origin;
    private readonly FieldSet _drops;

    /// <param name="target">The upstream.</param>
    /// <param name="hidesChallenges">
    /// Whether the upstream's challenges (<c>WWW-Authenticate</c>, <c>DPoP-Nonce</c>) are removed. They are if the proxy itself sends the credential, because
    /// the client cannot answer them.
    /// </param>
    /// <param name="setsCors">Whether the proxy sets the CORS fields itself. Then the upstream's are removed, because they could contradict.</param>
    public ResponseRewriter(Uri target, bool hidesChallenges, bool setsCors)
    {
        _origin = new UpstreamOrigin(target);
        _drops = FieldSet.HopByHop;
        _drops = hidesChallenges ? _drops.With(KnownField.WwwAuthenticate, KnownField.DPoPNonce) : _drops;
        _drops = setsCors ? _drops.With(KnownField.AccessControl) : _drops;
    }

    /// <summary>Writes the head, without flushing.</summary>
    public void Write(ResponseHead head, in ResponseEdits edits, PipeWriter output)
    {
        int most = head.Length + edits.ExtraLines.Length + edits.OwnAuthority.Length + 128;
        var writer = new HeadWriter(output.GetSpan(most));
        WriteStatusLine(head, ref writer);
        ReadOnlySpan<byte> location = LocationBehindOrigin(head);
        bool moves = !location.IsEmpty && !edits.OwnAuthority.IsEmpty;
        writer.AddFields(head, moves ? _drops.With(KnownField.Location) : _drops);
        if (moves)
        {
            writer.Add("Location: "u8);
            writer.Add(edits.IsTls ? "https://"u8 : "http://"u8);
            writer.Add(edits.OwnAuthority);
            writer.Add(location);
            writer.Add("\r\n"u8);
        }

        writer.Add(edits.ExtraLines);
        WriteFraming(head, edits, ref writer);
        writer.Add("\r\n"u8);
        output.Advance(writer.Length);
    }

    /// <summary>The path, query and fragment of a <c>Location</c> on the upstream's own origin; empty for any other <c>Location</c>.</summary>
    public ReadOnlySpan<byte> LocationBehindOrigin(ResponseHead head) =>
        head.Fields.Has(KnownField.Location) ? _origin.Behind(head.Value(KnownField.Location)) : default;

    private static void WriteStatusLine(ResponseHead head, ref HeadWriter writer)
    {
        ReadOnlySpan<byte> line = head.Span[..head.FieldsStart];
        writer.Add("HTTP/1.1 "u8);
        writer.Add(line[9..12]);
        writer.Add(line.Length > 14 ? line[12..] : " \r\n"u8);
    }

    private static void WriteFraming(ResponseHead head, in ResponseEdits edits, ref HeadWriter writer)
    {
        if (head.IsInterim)
        {
            return;
        }

        if (head.IsBodyless)
        {
            // The length that the body of a GET would have is forwarded. A 204 must not declare one (RFC 9110 §8.6).
            bool informs = head.InformativeLength >= 0 && head.Status != 204;
            writer.AddFraming(informs ? FramingKind.Length : FramingKind.None, head.InformativeLength);
        }
        else
        {
            writer.AddFraming(edits.Framing, head.Framing.DeclaredLength);
        }

        if (!edits.KeepsAlive)
        {
            writer.Add("Connection: close\r\n"u8);
        }
        else if (edits.ClientIsHttp10)
        {
            writer.Add("Connection: keep-alive\r\n"u8);
        }
    }
}
