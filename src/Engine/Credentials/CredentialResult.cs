using McpProxyFast.Outcomes;

namespace McpProxyFast.Credentials;

/// <summary>How the wait for a credential ended.</summary>
internal readonly record struct CredentialResult
{
    private CredentialResult(CredentialResultKind kind) => Kind = kind;

    /// <summary>The kind of the result.</summary>
    public CredentialResultKind Kind { get; }

    /// <summary>The line to send, or to replay with; set when ready.</summary>
    public CredentialLine? Line { get; private init; }

    /// <summary>Why the caller gets no credential; set when refused.</summary>
    public RefusalReason Refusal { get; private init; }

    /// <summary>What the caller has to do; set if that is why it is refused.</summary>
    public StepUpChallenge? StepUp { get; private init; }

    /// <summary>What failed; set when failed.</summary>
    public FaultReason Fault { get; private init; }

    /// <summary>When to ask again, in seconds; set when unavailable, and when a failure may pass; otherwise 0.</summary>
    public int RetryAfterSeconds { get; private init; }

    /// <summary>A stable word for logs and for the JSON-RPC error's <c>data</c>; set when unavailable.</summary>
    public string? Code { get; private init; }

    /// <summary>What a person can do, without secrets; set when unavailable.</summary>
    public string? Message { get; init; }

    /// <summary>Nothing to add: send without a credential, or show the upstream's own answer.</summary>
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
