using System.IO.Pipelines;
using System.Net;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>Which <c>X-Forwarded-*</c> fields the upstream gets.</summary>
internal enum ForwardedRule : byte
{
    /// <summary>
    /// The proxy drops these fields of the client and sends its own. It also drops other fields from which servers take a client's address, such as
    /// <c>X-Real-IP</c>.
    /// </summary>
    Set,

    /// <summary>
    /// The proxy forwards these fields of the client, and appends the client's address to <c>X-Forwarded-For</c>. It adds <c>X-Forwarded-Host</c> and
    /// <c>X-Forwarded-Proto</c> if the client did not send them.
    /// </summary>
    Append,

    /// <summary>The proxy drops these fields of the client and sends none of its own.</summary>
    Off,
}

/// <summary>The changes to a request that depend on the single request.</summary>
internal readonly ref struct RequestEdits
{
    /// <summary>Complete field lines with the credential that the proxy sends; empty if there is none.</summary>
    public ReadOnlySpan<byte> CredentialLines { get; init; }

    /// <summary>Complete lines of the fields that are added besides a credential; empty if there are none.</summary>
    public ReadOnlySpan<byte> AddedLines { get; init; }

    /// <summary>Whether the client's own <c>Authorization</c> and <c>DPoP</c> are removed.</summary>
    public bool DropsAuthorization { get; init; }

    /// <summary>The path and query to which the upstream has redirected the request; empty to use the request's own.</summary>
    public ReadOnlySpan<byte> RedirectedTo { get; init; }

    public IPAddress? ClientAddress { get; init; }

    /// <summary>Whether the client uses https to reach the proxy.</summary>
    public bool IsTls { get; init; }
}

/// <summary>Turns a received request head into the head that is sent to the upstream.</summary>
internal sealed class RequestRewriter
{
    private const int AddressBytes = 64;

    /// <summary>How many bytes are reserved for the names of the fields that are added, for the framing fields and for the line ends.</summary>
    private const int FixedBytes = 192;

    private readonly TargetRule _target;
    private readonly ForwardedRule _forwarded;

    /// <summary>The lines that are added to every request: <c>Host</c>, and the proxy's mark.</summary>
    private readonly byte[] _firstLines;
    private readonly FieldSet _drops;

    /// <summary>The names of the fields that the proxy sets. The client's own lines with these names are dropped. Null if there are none.</summary>
    private readonly ReplacedNames? _replaced;

    /// <summary>The names of the fields in <see cref="RequestEdits.AddedLines"/>, a part of <c>_replaced</c>; null if no request gets such lines.</summary>
    private readonly ReplacedNames? _added;

    /// <param name="target">The upstream.</param>
    /// <param name="forwarded">Which <c>X-Forwarded-*</c> fields the upstream gets.</param>
    /// <param name="hop">The proxy's mark; null to add none.</param>
    /// <param name="replaced">The names of the fields that the proxy sets itself; null if there are none.</param>
    /// <param name="added">Those of the replaced names that are added to every request besides a credential; null if there are none.</param>
    public RequestRewriter(Uri target, ForwardedRule forwarded, HopMark? hop = null, ReplacedNames? replaced = null, ReplacedNames? added = null)
    {
        _replaced = replaced;
        _added = added;
        _target = new TargetRule(target);
        _forwarded = forwarded;
        string port = target.IsDefaultPort ? "" : $":{target.Port}";
        string host = target.HostNameType is UriHostNameType.IPv6 ? target.Host : target.IdnHost;
        _firstLines = Encoding.ASCII.GetBytes($"Host: {host}{port}\r\n{hop?.Line}");
        _drops = FieldSet.HopByHop.With(KnownField.Host);
        _drops = forwarded is ForwardedRule.Append
            ? _drops.With(KnownField.XForwardedFor)
            : _drops.With(
                KnownField.Forwarded,
                KnownField.XForwardedFor,
                KnownField.XForwardedHost,
                KnownField.XForwardedProto,
                KnownField.XForwardedOther,
                KnownField.ClientAddress);
        _drops = added is not null && added.Has("Authorization"u8) ? _drops.With(KnownField.DPoP) : _drops;
    }

    /// <summary>Path and query as the upstream will see them. Only for code that runs rarely, since it allocates.</summary>
    public string DescribeTarget(RequestHead head) => _target.Describe(head);

    /// <summary>The maximum number of bytes that <see cref="WriteTarget"/> writes.</summary>
    public int MaxTargetBytes(RequestHead head) => _target.MaxBytes(head);

    /// <summary>Writes path and query as the upstream will see them; allocates nothing.</summary>
    /// <returns>How many bytes were written.</returns>
    public int WriteTarget(RequestHead head, Span<byte> room) => _target.Write(head, room);

    /// <summary>The path as the upstream will see it, without the query.</summary>
    public ReadOnlySpan<byte> PathOf(RequestHead head) => _target.PathOf(head);

    /// <summary>Whether a request for this path is sent to the upstream with another path.</summary>
    public bool Changes(ReadOnlySpan<byte> path) => _target.Changes(path);

    /// <summary>Writes the head, without flushing.</summary>
    public void Write(RequestHead head, in RequestEdits edits, PipeWriter output)
    {
        // Twice the head: the lines that are kept, and the values of Host and X-Forwarded-For, which may be written in other lines too.
        int most = (2 * head.Length) + _target.ExtraBytes + _firstLines.Length + edits.CredentialLines.Length + edits.AddedLines.Length
            + edits.RedirectedTo.Length + AddressBytes + FixedBytes;
        var writer = new HeadWriter(output.GetSpan(most));
        WriteRequestLine(head, edits, ref writer);
        writer.Add(_firstLines);
        writer.AddFields(head, Drops(head, edits), _replaced);
        WriteMaxForwards(head, ref writer);
        WriteForwarded(head, edits, ref writer);
        writer.AddFraming(head.Framing.Kind, head.Framing.DeclaredLength);
        writer.Add(MayAdd(edits.CredentialLines) ? edits.CredentialLines : default);
        writer.Add(edits.AddedLines);
        writer.Add("\r\n"u8);
        output.Advance(writer.Length);
    }

    /// <summary>Whether the credential's line is written. It is not if an added field has the same name, because that field replaces it.</summary>
    private bool MayAdd(ReadOnlySpan<byte> credential) =>
        _added is null || credential.IsEmpty || !_added.Has(credential[..credential.IndexOf((byte)':')]);

    private void WriteRequestLine(RequestHead head, in RequestEdits edits, ref HeadWriter writer)
    {
        if (edits.RedirectedTo.IsEmpty && _target.KeepsAsIs(head))
        {
            writer.Add(head.Span[..head.FieldsStart]);
            return;
        }

        writer.Add(head.Method);
        writer.Add(" "u8);
        if (edits.RedirectedTo.IsEmpty)
        {
            _target.Write(head, ref writer);
        }
        else
        {
            writer.Add(edits.RedirectedTo);
        }

        writer.Add(" HTTP/1.1\r\n"u8);
    }

    private FieldSet Drops(RequestHead head, in RequestEdits edits)
    {
        FieldSet drops = head.HopsLeft < 0 ? _drops : _drops.With(KnownField.MaxForwards);
        if (edits.DropsAuthorization || !edits.CredentialLines.IsEmpty)
        {
            drops = drops.With(KnownField.Authorization, KnownField.DPoP);
        }

        // Expect is forwarded only if it can have an effect: in HTTP/1.1, and with a body that the client may hold back (RFC 9110 §10.1.1).
        return head.ExpectsContinue && !head.Framing.IsComplete ? drops : drops.With(KnownField.Expect);
    }

    /// <summary>
    /// Writes <c>Max-Forwards</c>, reduced by one (RFC 9110 §7.6.2). If the value was 0, the proxy has answered the request itself and does not forward it.
    /// </summary>
    private static void WriteMaxForwards(RequestHead head, ref HeadWriter writer)
    {
        if (head.HopsLeft > 0)
        {
            writer.Add("Max-Forwards: "u8);
            writer.Add(head.HopsLeft - 1);
            writer.Add("\r\n"u8);
        }
    }

    private void WriteForwarded(RequestHead head, in RequestEdits edits, ref HeadWriter writer)
    {
        if (_forwarded is ForwardedRule.Off)
        {
            return;
        }

        WriteForwardedFor(head, edits.ClientAddress, ref writer);
        bool appends = _forwarded is ForwardedRule.Append;
        ReadOnlySpan<byte> authority = head.Authority;
        if (!authority.IsEmpty && !(appends && GoesOn(head, KnownField.XForwardedHost)))
        {
            writer.Add("X-Forwarded-Host: "u8);
            writer.Add(authority);
            writer.Add("\r\n"u8);
        }

        if (!(appends && GoesOn(head, KnownField.XForwardedProto)))
        {
            writer.Add(edits.IsTls ? "X-Forwarded-Proto: https\r\n"u8 : "X-Forwarded-Proto: http\r\n"u8);
        }
    }

    private void WriteForwardedFor(RequestHead head, IPAddress? client, ref HeadWriter writer)
    {
        bool appends = _forwarded is ForwardedRule.Append && GoesOn(head, KnownField.XForwardedFor);
        if (client is null && !appends)
        {
            return;
        }

        writer.Add("X-Forwarded-For: "u8);
        if (appends)
        {
            AddForwardedBefore(head, ref writer);
            writer.Add(client is null ? default : ", "u8);
        }

        if (client is not null)
        {
            Span<byte> address = stackalloc byte[AddressBytes];
            client.TryFormat(address, out int length);
            writer.Add(address[..length]);
        }

        writer.Add("\r\n"u8);
    }

    /// <summary>Whether the client sent the field and did not name it in <c>Connection</c>. A field that is named there is not forwarded.</summary>
    private static bool GoesOn(RequestHead head, KnownField known)
    {
        foreach (ref FieldSlot slot in head.Fields.Slots)
        {
            if (slot.Known == known && !slot.ThisHopOnly)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes the client's own <c>X-Forwarded-For</c> values as one list. Repeated lines mean the same as one list (RFC 9110 §5.3).</summary>
    private static void AddForwardedBefore(RequestHead head, ref HeadWriter writer)
    {
        bool isFirst = true;
        foreach (ref FieldSlot slot in head.Fields.Slots)
        {
            if (slot.Known is KnownField.XForwardedFor && !slot.ThisHopOnly)
            {
                writer.Add(isFirst ? default : ", "u8);
                writer.Add(head.Value(slot));
                isFirst = false;
            }
        }
    }
}
