using System.Diagnostics;

namespace McpProxyFast.Outcomes;

/// <summary>Why the proxy refused a message, or doubted one of the upstream's. The list is closed.</summary>
internal enum RefusalReason : byte
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

    // Field lines (RFC 9112 §5).
    LineEndInvalid,
    FieldNameInvalid,
    FieldValueInvalid,
    FieldFolded,
    TooManyFields,
    HeadTooLarge,
    ConnectionOptionsInvalid,
    MaxForwardsInvalid,

    // Host and authority (RFC 9112 §3.2).
    HostMissing,
    HostRepeated,
    HostInvalid,
    HostContradictsTarget,

    // Framing (RFC 9112 §6).
    LengthAndTransferEncoding,
    LengthRepeated,
    LengthInvalid,
    TransferEncodingInvalid,
    TransferEncodingNotSupported,
    BodyTooLarge,
    ChunkSizeInvalid,
    ChunkSizeTooLarge,
    ChunkEndInvalid,
    ChunkExtensionInvalid,
    ChunkOverheadTooLarge,
    TrailerInvalid,

    // Time and expectations.
    HeadTooSlow,
    BodyTooSlow,
    ExpectationFailed,

    // Who may come in.
    OriginNotAllowed,
    HostNotAllowed,
    AuthorizationRepeated,
    CredentialsMissing,
    TokenInvalid,
    ScopeInsufficient,

    // The answers of an upstream (RFC 9112 §4 and §9.2, RFC 9110 §15.2).
    StatusLineInvalid,
    InterimWithBody,
    SwitchUnasked,
    TooManyInterim,
    AnswerUnasked,
}

/// <summary>What a refused client is told: a status, a stable code for logs and metrics, a sentence, and the rule that was broken.</summary>
internal readonly record struct Refusal(int Status, string Code, string Sentence, string Rule)
{
    /// <summary>The one table from reason to reply. No refusal is worded anywhere else.</summary>
    public static Refusal For(RefusalReason reason) => reason switch
    {
        RefusalReason.RequestLineInvalid => new(400, "request-line-invalid", "The request line is not 'method SP target SP HTTP/1.1'.", "RFC 9112 §3"),
        RefusalReason.MethodInvalid => new(400, "method-invalid", "The method is not a token.", "RFC 9110 §9.1"),
        RefusalReason.TargetInvalid => new(400, "target-invalid", "The request target is malformed.", "RFC 9112 §3.2"),
        RefusalReason.TargetTooLong => new(414, "target-too-long", "The request line is too long.", "RFC 9110 §15.5.15"),
        RefusalReason.VersionInvalid => new(400, "version-invalid", "The HTTP version is malformed.", "RFC 9112 §2.3"),
        RefusalReason.VersionNotSupported => new(505, "version-not-supported", "This proxy speaks HTTP/1.1 and HTTP/1.0.", "RFC 9110 §15.6.6"),
        RefusalReason.ConnectNotSupported => new(501, "connect-not-supported", "CONNECT is not supported.", "RFC 9110 §9.3.6"),
        RefusalReason.LineEndInvalid => new(400, "line-end-invalid", "A line ends otherwise than by CR LF, or holds a control byte.", "RFC 9112 §2.2"),
        RefusalReason.FieldNameInvalid => new(400, "field-name-invalid", "A field name is not a token directly followed by a colon.", "RFC 9112 §5.1"),
        RefusalReason.FieldValueInvalid => new(400, "field-value-invalid", "A field value holds a control byte.", "RFC 9110 §5.5"),
        RefusalReason.FieldFolded => new(400, "field-folded", "A line starts with white space (obsolete folding).", "RFC 9112 §5.2"),
        RefusalReason.TooManyFields => new(431, "too-many-fields", "The head has too many field lines.", "RFC 6585 §5"),
        RefusalReason.HeadTooLarge => new(431, "head-too-large", "The head is too large.", "RFC 6585 §5"),
        RefusalReason.ConnectionOptionsInvalid => new(400, "connection-options-invalid", "The Connection field is not a list of tokens.", "RFC 9110 §7.6.1"),
        RefusalReason.MaxForwardsInvalid => new(400, "max-forwards-invalid", "Max-Forwards is not one decimal number.", "RFC 9110 §7.6.2"),
        RefusalReason.HostMissing => new(400, "host-missing", "The Host field is missing.", "RFC 9112 §3.2"),
        RefusalReason.HostRepeated => new(400, "host-repeated", "The Host field is repeated.", "RFC 9112 §3.2"),
        RefusalReason.HostInvalid => new(400, "host-invalid", "The Host field or the target's authority is not 'host[:port]'.", "RFC 9110 §7.2"),
        RefusalReason.HostContradictsTarget => new(400, "host-contradicts-target", "The Host field names another host than the request target.", "RFC 9112 §3.2.2"),
        RefusalReason.LengthAndTransferEncoding => new(400, "length-and-transfer-encoding", "Content-Length and Transfer-Encoding stand in one message.", "RFC 9112 §6.3"),
        RefusalReason.LengthRepeated => new(400, "length-repeated", "Content-Length is repeated.", "RFC 9112 §6.3"),
        RefusalReason.LengthInvalid => new(400, "length-invalid", "Content-Length is not a decimal number below 2^63.", "RFC 9110 §8.6"),
        RefusalReason.TransferEncodingInvalid => new(400, "transfer-encoding-invalid", "Transfer-Encoding is not exactly 'chunked', or the version forbids it.", "RFC 9112 §6.1"),
        RefusalReason.TransferEncodingNotSupported => new(501, "transfer-encoding-not-supported", "No transfer coding but 'chunked' is supported.", "RFC 9112 §6.1"),
        RefusalReason.BodyTooLarge => new(413, "body-too-large", "The request body is larger than this proxy accepts.", "RFC 9110 §15.5.14"),
        RefusalReason.ChunkSizeInvalid => new(400, "chunk-size-invalid", "A chunk size is not a hexadecimal number followed by CR LF.", "RFC 9112 §7.1"),
        RefusalReason.ChunkSizeTooLarge => new(400, "chunk-size-too-large", "A chunk size has more than 16 digits or exceeds 2^63.", "RFC 9112 §7.1"),
        RefusalReason.ChunkEndInvalid => new(400, "chunk-end-invalid", "The data of a chunk is not followed by CR LF.", "RFC 9112 §7.1"),
        RefusalReason.ChunkExtensionInvalid => new(400, "chunk-extension-invalid", "A chunk extension is not ';name' or ';name=value'.", "RFC 9112 §7.1.1"),
        RefusalReason.ChunkOverheadTooLarge => new(400, "chunk-overhead-too-large", "Chunk extensions or the trailer section are too large.", "RFC 9112 §7.1.1"),
        RefusalReason.TrailerInvalid => new(400, "trailer-invalid", "A line of the trailer section is not a field line.", "RFC 9112 §7.1.2"),
        RefusalReason.HeadTooSlow => new(408, "head-too-slow", "The request head did not arrive in time.", "RFC 9110 §15.5.9"),
        RefusalReason.BodyTooSlow => new(408, "body-too-slow", "The request body did not arrive in time.", "RFC 9110 §15.5.9"),
        RefusalReason.ExpectationFailed => new(417, "expectation-failed", "The only expectation supported is 100-continue.", "RFC 9110 §15.5.18"),
        RefusalReason.OriginNotAllowed => new(403, "origin-not-allowed", "Origin not allowed", "MCP Streamable HTTP, security warning"),
        RefusalReason.HostNotAllowed => new(403, "host-not-allowed", "Host not allowed", "MCP Streamable HTTP, security warning"),
        RefusalReason.AuthorizationRepeated => new(400, "authorization-repeated", "The Authorization field is repeated.", "RFC 6750 §2"),
        RefusalReason.CredentialsMissing => new(401, "credentials-missing", "A bearer token is required.", "RFC 6750 §3"),
        RefusalReason.TokenInvalid => new(401, "token-invalid", "The access token is not valid.", "RFC 6750 §3.1"),
        RefusalReason.ScopeInsufficient => new(403, "scope-insufficient", "The access token lacks a required scope.", "RFC 6750 §3.1"),
        RefusalReason.StatusLineInvalid => new(502, "status-line-invalid", "The upstream's status line is malformed.", "RFC 9112 §4"),
        RefusalReason.InterimWithBody => new(502, "interim-with-body", "An interim answer of the upstream declares a body.", "RFC 9110 §8.6"),
        RefusalReason.SwitchUnasked => new(502, "switch-unasked", "The upstream switches protocols, which nobody asked for.", "RFC 9110 §15.2.2"),
        RefusalReason.TooManyInterim => new(502, "too-many-interim", "The upstream sends interim responses without end.", "RFC 9110 §15.2"),
        RefusalReason.AnswerUnasked => new(502, "answer-unasked", "The upstream sent bytes that answer no request.", "RFC 9112 §9.2"),
        _ => throw new UnreachableException($"{reason} has no refusal."),
    };
}
