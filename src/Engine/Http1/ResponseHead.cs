namespace McpProxyFast.Http1;

/// <summary>The head of one response of the upstream, interim or final.</summary>
internal sealed class ResponseHead : MessageHead
{
    /// <summary>The status code, 100 to 599.</summary>
    public int Status { get; private set; }

    /// <summary>Whether the request was a HEAD. Then the response has no body, whatever its fields say.</summary>
    public bool AnswersHead { get; set; }

    public bool IsInterim => Status < 200;

    /// <summary>Whether the response never has a body, because of its status or of the request's method (RFC 9112 §6.3 rule 1).</summary>
    public bool IsBodyless => AnswersHead || Status is < 200 or 204 or 304;

    /// <summary>Whether the body is <c>text/event-stream</c> without a content coding, so that its events can be read.</summary>
    public bool IsEventStream => Fields.Has(KnownField.ContentType) && !Fields.Has(KnownField.ContentEncoding) && IsEvents(Value(KnownField.ContentType));

    /// <summary>
    /// The value of <c>Content-Length</c> in a response without a body: for example, the length that the body of a GET would have (RFC 9110 §8.6). -1 if there
    /// is none.
    /// </summary>
    public long InformativeLength { get; private set; } = -1;

    public override void Clear()
    {
        base.Clear();
        Status = 0;
        InformativeLength = -1;
    }

    /// <summary>Reads <c>status-line = HTTP-version SP status-code SP [ reason-phrase ]</c>, RFC 9112 §4.</summary>
    /// <remarks>The last SP may be missing, since many servers leave it out.</remarks>
    public override Violation TakeStartLine(ReadOnlySpan<byte> line)
    {
        bool known = line.Length >= 12 && line.StartsWith("HTTP/1."u8) && line[7] is (byte)'0' or (byte)'1' && line[8] == (byte)' ';
        if (!known || !char.IsAsciiDigit((char)line[9]) || !char.IsAsciiDigit((char)line[10]) || !char.IsAsciiDigit((char)line[11])
            || (line.Length > 12 && line[12] != (byte)' '))
        {
            return Violation.StatusLineInvalid;
        }

        MinorVersion = line[7] - '0';
        Status = ((line[9] - '0') * 100) + ((line[10] - '0') * 10) + line[11] - '0';
        FieldsStart = line.Length + 2;
        return Status is >= 100 and <= 599 ? Violation.None : Violation.StatusLineInvalid;
    }

    public override Violation FaultOfLongStartLine(ReadOnlySpan<byte> start) => Violation.StatusLineInvalid;

    private static bool IsEvents(ReadOnlySpan<byte> type)
    {
        ReadOnlySpan<byte> events = "text/event-stream"u8;
        return type.Length >= events.Length
            && System.Text.Ascii.EqualsIgnoreCase(type[..events.Length], events)
            && (type.Length == events.Length || type[events.Length] is (byte)';' or (byte)' ' or (byte)'\t');
    }

    protected override Violation Validate(in BodyLimits limits)
    {
        Violation violation = ReadFraming(limits);
        if (violation is not Violation.None)
        {
            return violation;
        }

        violation = ConnectionOptions.Read(this, out bool close, out bool keepAlive);
        KeepsAlive = MinorVersion == 1 ? !close : keepAlive && !close;
        if (IsBodyless)
        {
            InformativeLength = Framing.Kind is FramingKind.Length ? Framing.DeclaredLength : -1;

            // A 1xx or 204 must not declare a body (RFC 9110 §8.6, RFC 9112 §6.1). A server that declares one may also send it, and its bytes would be read as
            // the next response. So such a 1xx, which the final response must follow, is rejected, and after such a 204 the connection is not used again.
            bool declaresOne = Framing.Kind is FramingKind.Chunked || InformativeLength > 0;
            SetFraming(default);
            KeepsAlive &= Status == 304 || AnswersHead || !declaresOne;
            return violation is Violation.None && IsInterim && declaresOne ? Violation.InterimWithBody : violation;
        }

        if (Framing.Kind is FramingKind.None)
        {
            SetFraming(BodyFraming.UntilClose());
            KeepsAlive = false;
        }

        return violation;
    }
}
