using System.Text;

namespace McpProxyFast.Http1;

/// <summary>The forms of a request target that the proxy accepts, RFC 9112 §3.2.</summary>
internal enum TargetForm : byte
{
    Origin,
    Absolute,
    Asterisk,
}

/// <summary>One request head: the method, the target, the fields, and properties derived from them.</summary>
internal sealed class RequestHead : MessageHead
{
    private int _methodLength;
    private int _targetLength;
    private int _pathStart;
    private int _pathLength;
    private int _authorityStart;
    private int _authorityLength;
    private bool _isHttps;

    public TargetForm TargetForm { get; private set; }

    public ReadOnlySpan<byte> Method => Bytes.Span[.._methodLength];

    /// <summary>Path and query as the client sent them. Empty for <c>*</c> and for an absolute target without path and query.</summary>
    public ReadOnlySpan<byte> PathAndQuery => Bytes.Span.Slice(_pathStart, _pathLength);

    /// <summary>The path without the query.</summary>
    public ReadOnlySpan<byte> Path
    {
        get
        {
            ReadOnlySpan<byte> whole = PathAndQuery;
            int query = whole.IndexOf((byte)'?');
            return query < 0 ? whole : whole[..query];
        }
    }

    /// <summary>
    /// The host, with its port if there is one, that the client means: the target's authority if it has one, otherwise the value of Host (RFC 9112 §3.2.2).
    /// Empty only in HTTP/1.0.
    /// </summary>
    public ReadOnlySpan<byte> Authority => _authorityLength > 0 ? Bytes.Span.Slice(_authorityStart, _authorityLength) : Value(KnownField.Host);

    /// <summary>Whether the request line has the origin form and <c>HTTP/1.1</c>, so that its bytes can be forwarded unchanged.</summary>
    public bool IsPlainOriginForm => TargetForm is TargetForm.Origin && MinorVersion == 1;

    public bool IsHead { get; private set; }

    public bool IsOptions { get; private set; }

    public bool IsGet { get; private set; }

    public bool IsTrace { get; private set; }

    /// <summary>Whether the method is idempotent, RFC 9110 §9.2.2: to send the request twice does no harm.</summary>
    public bool IsIdempotent { get; private set; }

    /// <summary>
    /// How many more proxies may forward an OPTIONS or TRACE (<c>Max-Forwards</c>, RFC 9110 §7.6.2); -1 if the field is absent, and for other methods.
    /// </summary>
    public long HopsLeft { get; private set; } = -1;

    /// <summary>Whether the client waits for a 100 (Continue) before it sends the body (RFC 9110 §10.1.1).</summary>
    public bool ExpectsContinue { get; private set; }

    public override void Clear()
    {
        base.Clear();
        _methodLength = _targetLength = _pathStart = _pathLength = _authorityStart = _authorityLength = 0;
        TargetForm = TargetForm.Origin;
        _isHttps = false;
        IsHead = IsOptions = IsGet = IsTrace = IsIdempotent = ExpectsContinue = false;
        HopsLeft = -1;
    }

    /// <summary>Reads <c>request-line = method SP request-target SP HTTP-version</c>, RFC 9112 §3.</summary>
    public override Violation TakeStartLine(ReadOnlySpan<byte> line)
    {
        _methodLength = line.IndexOf((byte)' ');
        if (_methodLength <= 0)
        {
            return Violation.RequestLineInvalid;
        }

        if (line[.._methodLength].ContainsAnyExcept(Grammar.TokenBytes))
        {
            return Violation.MethodInvalid;
        }

        ReadOnlySpan<byte> rest = line[(_methodLength + 1)..];
        _targetLength = rest.IndexOf((byte)' ');
        if (_targetLength <= 0)
        {
            return Violation.RequestLineInvalid;
        }

        Violation version = TakeVersion(rest[(_targetLength + 1)..]);
        if (version is not Violation.None)
        {
            return version;
        }

        FieldsStart = line.Length + 2;
        RecogniseMethod(line[.._methodLength]);
        return TakeTarget(rest[.._targetLength], _methodLength + 1, line[.._methodLength].SequenceEqual("CONNECT"u8));
    }

    /// <summary>If the method has ended within the limit, the target is too long. If not, the line is not a request line.</summary>
    public override Violation FaultOfLongStartLine(ReadOnlySpan<byte> start) =>
        start.Contains((byte)' ') ? Violation.TargetTooLong : Violation.RequestLineInvalid;

    protected override Violation Validate(in BodyLimits limits)
    {
        Violation violation = ValidateHost();
        if (violation is not Violation.None)
        {
            return violation;
        }

        violation = ReadFraming(limits);
        if (violation is not Violation.None)
        {
            return violation;
        }

        violation = ConnectionOptions.Read(this, out bool close, out bool keepAlive);
        if (violation is not Violation.None)
        {
            return violation;
        }

        violation = ValidateExpectation();
        violation = violation is Violation.None ? ValidateHops() : violation;
        if (violation is not Violation.None)
        {
            return violation;
        }

        // Set after all checks: the connection of a head that breaks a rule is never kept open.
        KeepsAlive = MinorVersion == 1 ? !close : keepAlive && !close;
        return Violation.None;
    }

    private Violation TakeVersion(ReadOnlySpan<byte> version)
    {
        if (version.SequenceEqual("HTTP/1.1"u8))
        {
            MinorVersion = 1;
            return Violation.None;
        }

        if (version.SequenceEqual("HTTP/1.0"u8))
        {
            MinorVersion = 0;
            return Violation.None;
        }

        // HTTP-version = "HTTP/" DIGIT "." DIGIT. Any other version is either well formed but not supported, or malformed.
        bool wellFormed = version.Length == 8
            && version.StartsWith("HTTP/"u8)
            && char.IsAsciiDigit((char)version[5]) && version[6] == (byte)'.' && char.IsAsciiDigit((char)version[7]);
        return wellFormed ? Violation.VersionNotSupported
            : version.Contains((byte)' ') ? Violation.RequestLineInvalid
            : Violation.VersionInvalid;
    }

    private void RecogniseMethod(ReadOnlySpan<byte> method)
    {
        IsGet = method.SequenceEqual("GET"u8);
        IsHead = method.SequenceEqual("HEAD"u8);
        IsOptions = method.SequenceEqual("OPTIONS"u8);
        IsTrace = method.SequenceEqual("TRACE"u8);
        IsIdempotent = IsGet || IsHead || IsOptions || IsTrace || method.SequenceEqual("DELETE"u8) || method.SequenceEqual("PUT"u8);
    }

    private Violation TakeTarget(ReadOnlySpan<byte> target, int start, bool isConnect)
    {
        if (isConnect)
        {
            return Violation.ConnectNotSupported;
        }

        if (target.ContainsAny(Grammar.ForbiddenInTarget))
        {
            return Violation.TargetInvalid;
        }

        if (target[0] == (byte)'/')
        {
            _pathStart = start;
            _pathLength = target.Length;
            return Violation.None;
        }

        if (target is [(byte)'*'])
        {
            TargetForm = TargetForm.Asterisk;
            return IsOptions ? Violation.None : Violation.TargetInvalid;
        }

        return TakeAbsoluteTarget(target, start);
    }

    /// <summary>Reads a target in <c>absolute-form</c>, §3.2.2: http or https, an authority without user information, then path and query.</summary>
    private Violation TakeAbsoluteTarget(ReadOnlySpan<byte> target, int start)
    {
        int scheme = StartsWith(target, "http://"u8) ? 7 : StartsWith(target, "https://"u8) ? 8 : 0;
        if (scheme == 0)
        {
            return Violation.TargetInvalid;
        }

        ReadOnlySpan<byte> rest = target[scheme..];
        int authorityEnd = rest.IndexOfAny((byte)'/', (byte)'?');
        int length = authorityEnd < 0 ? rest.Length : authorityEnd;
        if (!Grammar.IsAuthority(rest[..length]))
        {
            return Violation.HostInvalid;
        }

        TargetForm = TargetForm.Absolute;
        _isHttps = scheme == 8;
        _authorityStart = start + scheme;
        _authorityLength = length;
        _pathStart = _authorityStart + length;
        _pathLength = rest.Length - length;
        return Violation.None;
    }

    private Violation ValidateHost()
    {
        switch (Fields.Single(KnownField.Host, out int line))
        {
            case Occurrence.Repeated:
                return Violation.HostRepeated;
            case Occurrence.Never:
                return MinorVersion == 0 ? Violation.None : Violation.HostMissing;
            default:
                break;
        }

        ReadOnlySpan<byte> host = Value(Fields.Slots[line]);
        if (!Grammar.IsAuthority(host))
        {
            return Violation.HostInvalid;
        }

        return _authorityLength == 0 || NamesSameHost(host, Authority) ? Violation.None : Violation.HostContradictsTarget;
    }

    /// <summary>Whether Host and the target's authority name the same host: they may differ in case, and one of them may leave out the default port.</summary>
    private bool NamesSameHost(ReadOnlySpan<byte> host, ReadOnlySpan<byte> authority)
    {
        ReadOnlySpan<byte> defaultPort = _isHttps ? ":443"u8 : ":80"u8;
        return Ascii.EqualsIgnoreCase(Without(defaultPort, host), Without(defaultPort, authority));
    }

    private static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> port, ReadOnlySpan<byte> authority) =>
        authority.EndsWith(port) ? authority[..^port.Length] : authority;

    private Violation ValidateExpectation()
    {
        if (!Fields.Has(KnownField.Expect) || MinorVersion == 0)
        {
            return Violation.None;
        }

        ExpectsContinue = Ascii.EqualsIgnoreCase(Value(KnownField.Expect), "100-continue"u8);
        return ExpectsContinue ? Violation.None : Violation.ExpectationFailed;
    }

    /// <summary>
    /// Checks <c>Max-Forwards = 1*DIGIT</c>, RFC 9110 §7.6.2, for OPTIONS and TRACE. For other methods the field has no meaning and is not checked.
    /// </summary>
    private Violation ValidateHops()
    {
        if (!(IsOptions || IsTrace) || !Fields.Has(KnownField.MaxForwards))
        {
            return Violation.None;
        }

        bool isNumber = BodyFraming.TryReadNumber(Value(KnownField.MaxForwards), out long hops);
        HopsLeft = isNumber ? hops : -1;
        return isNumber ? Violation.None : Violation.MaxForwardsInvalid;
    }

    private static bool StartsWith(ReadOnlySpan<byte> value, ReadOnlySpan<byte> lower) =>
        value.Length >= lower.Length && Ascii.EqualsIgnoreCase(value[..lower.Length], lower);
}
