using System.Diagnostics;
using McpProxyFast.Http1;

namespace McpProxyFast.Outcomes;

/// <summary>Why the proxy refuses a request. This list is complete.</summary>
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

    // Time limits, and the field Expect.
    HeadTooSlow,
    BodyTooSlow,
    ExpectationFailed,

    // The host, origin or token is not allowed, or the request has passed this proxy before.
    LoopDetected,
    OriginNotAllowed,
    CrossSiteNotAllowed,
    HostNotAllowed,
    AuthorizationRepeated,
    CredentialsMissing,
    TokenInvalid,
    ScopeInsufficient,

    // An authorization server has refused to exchange the caller's token.
    SubjectRefused,
    StepUpNeeded,
    ScopeNotGranted,
    ExchangeDenied,
}

/// <summary>How the body of a refusal is written.</summary>
internal enum RefusalForm : byte
{
    /// <summary>Plain text for a person: the sentence and the rule.</summary>
    Text,

    /// <summary>A JSON-RPC error without an id, as MCP clients expect it.</summary>
    JsonRpc,

    /// <summary>The JSON error object of OAuth (RFC 6749 §5.2), which resource servers commonly send too.</summary>
    OAuth,
}

/// <summary>The bearer challenge (RFC 6750 §3) that a refusal has.</summary>
internal enum ChallengeKind : byte
{
    /// <summary>No challenge.</summary>
    None,

    /// <summary>The request carries no bearer token: 401 without an error code (RFC 6750 §3.1).</summary>
    NoCredentials,

    /// <summary>401 <c>invalid_token</c>.</summary>
    InvalidToken,

    /// <summary>403 <c>insufficient_scope</c>.</summary>
    InsufficientScope,

    /// <summary>401 with the stronger authentication that an authorization server requires from the caller (RFC 9470 §3).</summary>
    StepUp,
}

/// <summary>
/// The reply to a refused request: a status, a code for logs and metrics that never changes in later versions, a sentence, and the rule that the request
/// breaks.
/// </summary>
internal readonly record struct Refusal(int Status, string Code, string Sentence, string Rule)
{
    private const string McpWarning = "MCP Streamable HTTP, security warning";
    private const string TokenRule = "RFC 6750 §3.1";
    private const string ExchangeRule = "RFC 8693 §2.2.2";

    /// <summary>
    /// By <see cref="Http1.Violation"/>: the reason for which a request with this violation is refused; None if only a response can have it. Made from the
    /// table in <see cref="For"/>.
    /// </summary>
    private static readonly RefusalReason[] ReasonsByViolation = InvertTable();

    /// <summary>The rule of HTTP/1.1 that the request breaks; None if it is refused for another reason.</summary>
    public Violation Violation { get; private init; }

    /// <summary>The form of the reply's body.</summary>
    public RefusalForm Form { get; private init; }

    /// <summary>The error code in a body of the form <see cref="RefusalForm.OAuth"/>; empty for the other forms.</summary>
    public string OAuthError { get; private init; } = "";

    /// <summary>The bearer challenge in the reply.</summary>
    public ChallengeKind Challenge { get; private init; }

    /// <summary>The table of all refusals: returns the reply for a reason.</summary>
    public static Refusal For(RefusalReason reason) => reason switch
    {
        RefusalReason.RequestLineInvalid => Of(Violation.RequestLineInvalid, 400, "The request line is not 'method SP target SP HTTP/1.1'."),
        RefusalReason.MethodInvalid => Of(Violation.MethodInvalid, 400, "The method is not a token."),
        RefusalReason.TargetInvalid => Of(Violation.TargetInvalid, 400,
            "The request target is neither a path, nor an absolute http or https URL, nor '*' for OPTIONS; or it has a forbidden character."),
        RefusalReason.TargetTooLong => Of(Violation.TargetTooLong, 414, "The request line is longer than this proxy accepts (by default 16 KiB)."),
        RefusalReason.VersionInvalid => Of(Violation.VersionInvalid, 400, "The HTTP version is not written like 'HTTP/1.1'."),
        RefusalReason.VersionNotSupported => Of(Violation.VersionNotSupported, 505,
            "The HTTP version is not supported: this proxy speaks HTTP/1.1 and HTTP/1.0."),
        RefusalReason.ConnectNotSupported => Of(Violation.ConnectNotSupported, 501, "The method CONNECT is not supported."),
        RefusalReason.LineEndInvalid => Of(Violation.LineEndInvalid, 400, "A line does not end with CR LF, or contains a control byte."),
        RefusalReason.FieldNameInvalid => Of(Violation.FieldNameInvalid, 400, "A field name is not a token directly followed by a colon."),
        RefusalReason.FieldValueInvalid => Of(Violation.FieldValueInvalid, 400, "A field value contains a control byte."),
        RefusalReason.FieldFolded => Of(Violation.FieldFolded, 400, "A field line starts with white space (obsolete line folding)."),
        RefusalReason.TooManyFields => Of(Violation.TooManyFields, 431, "The head has more field lines than this proxy accepts (by default 128)."),
        RefusalReason.HeadTooLarge => Of(Violation.HeadTooLarge, 431, "The head is larger than this proxy accepts (by default 32 KiB)."),
        RefusalReason.ConnectionOptionsInvalid =>
            Of(Violation.ConnectionOptionsInvalid, 400, "The Connection field is not a list of tokens, or has more than 32 of them."),
        RefusalReason.MaxForwardsInvalid => Of(Violation.MaxForwardsInvalid, 400, "Max-Forwards is not one decimal number."),
        RefusalReason.HostMissing => Of(Violation.HostMissing, 400, "The Host field is missing."),
        RefusalReason.HostRepeated => Of(Violation.HostRepeated, 400, "The Host field is repeated."),
        RefusalReason.HostInvalid => Of(Violation.HostInvalid, 400, "The Host field or the target's authority is not 'host[:port]'."),
        RefusalReason.HostContradictsTarget => Of(Violation.HostContradictsTarget, 400, "The Host field names another host than the request target."),
        RefusalReason.LengthAndTransferEncoding => Of(Violation.LengthAndTransferEncoding, 400, "Content-Length and Transfer-Encoding are both present."),
        RefusalReason.LengthRepeated => Of(Violation.LengthRepeated, 400, "Content-Length is repeated."),
        RefusalReason.LengthInvalid => Of(Violation.LengthInvalid, 400, "Content-Length is not a decimal number below 2^63."),
        RefusalReason.TransferEncodingInvalid =>
            Of(Violation.TransferEncodingInvalid, 400,
                "Transfer-Encoding is not exactly 'chunked', or the message is HTTP/1.0, which has no transfer codings."),
        RefusalReason.TransferEncodingNotSupported => Of(Violation.TransferEncodingNotSupported, 501,
            "The transfer coding is not supported: this proxy supports only 'chunked'."),
        RefusalReason.BodyTooLarge => Of(Violation.BodyTooLarge, 413, "The request body is larger than this proxy accepts."),
        RefusalReason.ChunkSizeInvalid => Of(Violation.ChunkSizeInvalid, 400, "A chunk size is not a hexadecimal number followed by CR LF or an extension."),
        RefusalReason.ChunkSizeTooLarge => Of(Violation.ChunkSizeTooLarge, 400, "A chunk size has more than 16 digits or exceeds 2^63."),
        RefusalReason.ChunkEndInvalid => Of(Violation.ChunkEndInvalid, 400, "The data of a chunk is not followed by CR LF."),
        RefusalReason.ChunkExtensionInvalid => Of(Violation.ChunkExtensionInvalid, 400, "A chunk extension is not ';name' or ';name=value'."),
        RefusalReason.ChunkOverheadTooLarge => Of(Violation.ChunkOverheadTooLarge, 400,
            "The chunk extensions or the trailer section are larger than this proxy accepts (by default 16 KiB each)."),
        RefusalReason.TrailerInvalid => Of(Violation.TrailerInvalid, 400, "A line of the trailer section is not a field line."),
        RefusalReason.HeadTooSlow => new(408, "head-too-slow", "The request head did not arrive in time.", "RFC 9110 §15.5.9"),
        RefusalReason.BodyTooSlow => new(408, "body-too-slow", "The request body did not arrive in time.", "RFC 9110 §15.5.9"),
        RefusalReason.ExpectationFailed => Of(Violation.ExpectationFailed, 417,
            "The Expect field asks for something other than 100-continue, the only expectation that is supported."),
        RefusalReason.LoopDetected => new(508, "loop-detected",
            "The request has passed through this proxy before: the proxy's target leads back to the proxy itself.", "RFC 5842 §7.2"),
        RefusalReason.OriginNotAllowed => new(403, "origin-not-allowed", "Origin not allowed", McpWarning) { Form = RefusalForm.JsonRpc },
        RefusalReason.CrossSiteNotAllowed =>
            new(403, "cross-site-not-allowed", "Requests made by pages of other sites are not allowed", McpWarning) { Form = RefusalForm.JsonRpc },
        RefusalReason.HostNotAllowed => new(403, "host-not-allowed", "Host not allowed", McpWarning) { Form = RefusalForm.JsonRpc },
        RefusalReason.AuthorizationRepeated =>
            OAuth(400, "authorization-repeated", "The Authorization field is repeated.", "RFC 6750 §2", "invalid_request", ChallengeKind.None),
        RefusalReason.CredentialsMissing =>
            OAuth(401, "credentials-missing", "A bearer token is required.", "RFC 6750 §3", "invalid_request", ChallengeKind.NoCredentials),
        RefusalReason.TokenInvalid =>
            OAuth(401, "token-invalid", "The access token is not valid.", TokenRule, "invalid_token", ChallengeKind.InvalidToken),
        RefusalReason.ScopeInsufficient =>
            OAuth(403, "scope-insufficient", "The access token lacks a required scope.", TokenRule, "insufficient_scope", ChallengeKind.InsufficientScope),
        _ => ForExchange(reason),
    };

    /// <summary>The part of the table for an authorization server that refuses to exchange the caller's token.</summary>
    private static Refusal ForExchange(RefusalReason reason) => reason switch
    {
        RefusalReason.SubjectRefused => OAuth(
            401,
            "exchange-subject-refused",
            "The authorization server does not accept this access token for a token exchange.",
            ExchangeRule,
            "invalid_token",
            ChallengeKind.InvalidToken),
        RefusalReason.StepUpNeeded => OAuth(
            401,
            "exchange-step-up-needed",
            "The caller has to sign in again, as the WWW-Authenticate challenge asks.",
            "RFC 9470 §3",
            "insufficient_user_authentication",
            ChallengeKind.StepUp),
        RefusalReason.ScopeNotGranted => OAuth(
            403, "exchange-scope-refused",
                "The authorization server does not grant the caller the scopes that the upstream needs.", ExchangeRule, "invalid_scope", ChallengeKind.None),
        RefusalReason.ExchangeDenied => OAuth(
            403, "exchange-denied",
                "The authorization server does not give the caller a token for the upstream.", ExchangeRule, "access_denied", ChallengeKind.None),
        _ => throw new UnreachableException($"{reason} has no refusal."),
    };

    /// <summary>
    /// Returns the reason for which a request with this violation is refused; None if there is no violation. Throws for a violation that only a response can
    /// have.
    /// </summary>
    public static RefusalReason ReasonFor(Violation violation)
    {
        RefusalReason reason = ReasonsByViolation[(int)violation];
        return reason is not RefusalReason.None || violation is Violation.None
            ? reason
            : throw new UnreachableException($"No request breaks the rule of {violation}.");
    }

    private static Refusal Of(Violation violation, int status, string sentence) =>
        new(status, Violations.CodeOf(violation), sentence, Violations.RuleOf(violation)) { Violation = violation };

    private static Refusal OAuth(int status, string code, string sentence, string rule, string error, ChallengeKind challenge) =>
        new(status, code, sentence, rule) { Form = RefusalForm.OAuth, OAuthError = error, Challenge = challenge };

    private static RefusalReason[] InvertTable()
    {
        var reasons = new RefusalReason[Enum.GetValues<Violation>().Length];
        foreach (RefusalReason reason in Enum.GetValues<RefusalReason>())
        {
            if (reason is not RefusalReason.None && For(reason).Violation is var violation and not Violation.None)
            {
                Debug.Assert(reasons[(int)violation] is RefusalReason.None, "A violation has one reason.");
                reasons[(int)violation] = reason;
            }
        }

        return reasons;
    }
}
