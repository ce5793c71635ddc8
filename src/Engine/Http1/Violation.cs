using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>
/// A rule of HTTP/1.1, or a limit of the proxy, that a received message breaks: a client's request or an upstream's response. These are all the rules that are
/// checked.
/// </summary>
internal enum Violation : byte
{
    None,

    // The request line (RFC 9112 §3).
    RequestLineInvalid,
    MethodInvalid,
    TargetInvalid,
    TargetTooLong,
    VersionInvalid,
    VersionNotSupported,
    ConnectNotSupported,

    // The status line (RFC 9112 §4).
    StatusLineInvalid,

    // Field lines (RFC 9112 §5).
    LineEndInvalid,
    FieldNameInvalid,
    FieldValueInvalid,
    FieldFolded,
    TooManyFields,
    HeadTooLarge,
    ConnectionOptionsInvalid,
    MaxForwardsInvalid,
    ExpectationFailed,

    // Host and authority (RFC 9112 §3.2).
    HostMissing,
    HostRepeated,
    HostInvalid,
    HostContradictsTarget,

    // Framing (RFC 9112 §6 and §7).
    LengthAndTransferEncoding,
    LengthRepeated,
    LengthInvalid,
    TransferEncodingInvalid,
    TransferEncodingNotSupported,
    InterimWithBody,
    BodyTooLarge,
    ChunkSizeInvalid,
    ChunkSizeTooLarge,
    ChunkEndInvalid,
    ChunkExtensionInvalid,
    ChunkOverheadTooLarge,
    TrailerInvalid,

    // The order of messages (RFC 9112 §9, RFC 9110 §15.2). A parser sees only one message, so these are found by the code of the exchange.
    UnexpectedSwitch,
    TooManyInterim,
    UnsolicitedResponse,
}

/// <summary>The table of all violations. It has, for each one, the code for logs and metrics and the section of the RFC that has the rule.</summary>
internal static class Violations
{
    /// <summary>The code that logs and metrics show. It never changes.</summary>
    public static string CodeOf(Violation violation) => RowOf(violation).Code;

    /// <summary>The section of the RFC that has the rule, such as <c>RFC 9112 §5.1</c>.</summary>
    public static string RuleOf(Violation violation) => RowOf(violation).Rule;

    private static (string Code, string Rule) RowOf(Violation violation) => violation switch
    {
        Violation.RequestLineInvalid => ("request-line-invalid", "RFC 9112 §3"),
        Violation.MethodInvalid => ("method-invalid", "RFC 9110 §9.1"),
        Violation.TargetInvalid => ("target-invalid", "RFC 9112 §3.2"),
        Violation.TargetTooLong => ("target-too-long", "RFC 9110 §15.5.15"),
        Violation.VersionInvalid => ("version-invalid", "RFC 9112 §2.3"),
        Violation.VersionNotSupported => ("version-not-supported", "RFC 9110 §15.6.6"),
        Violation.ConnectNotSupported => ("connect-not-supported", "RFC 9110 §9.3.6"),
        Violation.StatusLineInvalid => ("status-line-invalid", "RFC 9112 §4"),
        Violation.LineEndInvalid => ("line-end-invalid", "RFC 9112 §2.2"),
        Violation.FieldNameInvalid => ("field-name-invalid", "RFC 9112 §5.1"),
        Violation.FieldValueInvalid => ("field-value-invalid", "RFC 9110 §5.5"),
        Violation.FieldFolded => ("field-folded", "RFC 9112 §5.2"),
        Violation.TooManyFields => ("too-many-fields", "RFC 6585 §5"),
        Violation.HeadTooLarge => ("head-too-large", "RFC 6585 §5"),
        Violation.ConnectionOptionsInvalid => ("connection-options-invalid", "RFC 9110 §7.6.1"),
        Violation.MaxForwardsInvalid => ("max-forwards-invalid", "RFC 9110 §7.6.2"),
        Violation.ExpectationFailed => ("expectation-failed", "RFC 9110 §15.5.18"),
        Violation.HostMissing => ("host-missing", "RFC 9112 §3.2"),
        Violation.HostRepeated => ("host-repeated", "RFC 9112 §3.2"),
        Violation.HostInvalid => ("host-invalid", "RFC 9110 §7.2"),
        Violation.HostContradictsTarget => ("host-contradicts-target", "RFC 9112 §3.2.2"),
        Violation.LengthAndTransferEncoding => ("length-and-transfer-encoding", "RFC 9112 §6.3"),
        Violation.LengthRepeated => ("length-repeated", "RFC 9112 §6.3"),
        Violation.LengthInvalid => ("length-invalid", "RFC 9110 §8.6"),
        Violation.TransferEncodingInvalid => ("transfer-encoding-invalid", "RFC 9112 §6.1"),
        Violation.TransferEncodingNotSupported => ("transfer-encoding-not-supported", "RFC 9112 §6.1"),
        Violation.InterimWithBody => ("interim-with-body", "RFC 9110 §8.6"),
        Violation.BodyTooLarge => ("body-too-large", "RFC 9110 §15.5.14"),
        Violation.ChunkSizeInvalid => ("chunk-size-invalid", "RFC 9112 §7.1"),
        Violation.ChunkSizeTooLarge => ("chunk-size-too-large", "RFC 9112 §7.1"),
        Violation.ChunkEndInvalid => ("chunk-end-invalid", "RFC 9112 §7.1"),
        Violation.ChunkExtensionInvalid => ("chunk-extension-invalid", "RFC 9112 §7.1.1"),
        Violation.ChunkOverheadTooLarge => ("chunk-overhead-too-large", "RFC 9112 §7.1.1"),
        Violation.TrailerInvalid => ("trailer-invalid", "RFC 9112 §7.1.2"),
        Violation.UnexpectedSwitch => ("switch-unsolicited", "RFC 9110 §15.2.2"),
        Violation.TooManyInterim => ("too-many-interim", "RFC 9110 §15.2"),
        Violation.UnsolicitedResponse => ("response-unsolicited", "RFC 9112 §9.2"),
        _ => throw new UnreachableException($"{violation} is not a violation."),
    };
}
