using McpProxyFast.Outcomes;

namespace McpProxyFast.Credentials;

/// <summary>The result of waiting for a credential.</summary>
internal readonly record struct CredentialResult
{
    private CredentialResult(CredentialResultKind kind) => Kind = kind;

    /// <summary>The kind of the result.</summary>
    public CredentialResultKind Kind { get; }

    /// <summary>The header lines to send the request with; set if <see cref="CredentialResultKind.Ready"/>.</summary>
    public CredentialLine? Line { get; private init; }

    /// <summary>Why the caller gets no credential; set if <see cref="CredentialResultKind.Refused"/>.</summary>
    public RefusalReason Refusal { get; private init; }

    /// <summary>How the caller must sign in again; set if <see cref="Refusal"/> says that a step-up is needed.</summary>
    public StepUpChallenge? StepUp { get; private init; }

    /// <summary>What failed; set if <see cref="CredentialResultKind.Failed"/>.</summary>
    public FaultReason Fault { get; private init; }

    /// <summary>
    /// After how many seconds the client may try again; set for <see cref="CredentialResultKind.Unavailable"/>, and for a failure that may be temporary;
    /// otherwise 0.
    /// </summary>
    public int RetryAfterSeconds { get; private init; }

    /// <summary>A stable error code for logs and for the JSON-RPC error's <c>data</c>; set if <see cref="CredentialResultKind.Unavailable"/>.</summary>
    public string? Code { get; private init; }

    /// <summary>A sentence, without secrets, that says what a person can do; set if <see cref="CredentialResultKind.Unavailable"/>.</summary>
    public string? Message { get; init; }

    /// <summary>The request is sent without a credential. If the upstream has already answered it, the client gets the upstream's answer.</summary>
    public static CredentialResult PassThrough => new(CredentialResultKind.PassThrough);

    public static CredentialResult Ready(CredentialLine line) => new(CredentialResultKind.Ready) { Line = line };

    public static CredentialResult Unavailable(TimeSpan retryAfter, string code, string message) => new(CredentialResultKind.Unavailable)
    {
        RetryAfterSeconds = SecondsOf(retryAfter),
        Code = code,
        Message = message,
    };

    public static CredentialResult Refused(RefusalReason reason, StepUpChallenge? stepUp = null) =>
        new(CredentialResultKind.Refused) { Refusal = reason, StepUp = stepUp };

    public static CredentialResult Failed(FaultReason reason, TimeSpan? retryAfter = null) =>
        new(CredentialResultKind.Failed) { Fault = reason, RetryAfterSeconds = retryAfter is { } wait ? SecondsOf(wait) : 0 };

    private static int SecondsOf(TimeSpan wait) => (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 3_600);
}
