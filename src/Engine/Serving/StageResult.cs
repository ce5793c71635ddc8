using System.Diagnostics;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>What a stage of an exchange can return.</summary>
internal enum StageKind : byte
{
    /// <summary>Continue with the next stage.</summary>
    GoOn,

    /// <summary>Send the request again.</summary>
    SendAgain,

    /// <summary>Refuse the request.</summary>
    Refuse,

    /// <summary>The exchange cannot be completed: something has failed, usually outside the proxy.</summary>
    Fault,

    /// <summary>The proxy answers itself.</summary>
    Reply,

    /// <summary>There is no exchange: the client left, or the connection was cut, before the whole head of the request had arrived.</summary>
    NoExchange,
}

/// <summary>The result of a stage: the exchange continues, or why it does not.</summary>
internal readonly struct StageResult
{
    private readonly object? _detail;

    private StageResult(StageKind kind, RefusalReason refusal = RefusalReason.None, FaultReason fault = FaultReason.None, object? detail = null)
    {
        Kind = kind;
        Refusal = refusal;
        Fault = fault;
        _detail = detail;
    }

    public static StageResult GoOn => default;

    public static StageResult SendAgain => new(StageKind.SendAgain);

    public static StageResult NoExchange => new(StageKind.NoExchange);

    public StageKind Kind { get; }

    /// <summary>The exchange continues: with the next stage, or by sending the request again.</summary>
    public bool GoesOn => Kind is StageKind.GoOn or StageKind.SendAgain;

    /// <summary>Why the request is refused; None for every other kind.</summary>
    public RefusalReason Refusal { get; }

    /// <summary>What failed; None for every other kind.</summary>
    public FaultReason Fault { get; }

    /// <summary>The answer of a <see cref="StageKind.Reply"/>.</summary>
    public OwnReply OwnReply => (OwnReply)_detail!;

    /// <summary>Details of the fault, in place of those in <see cref="Outcomes.Fault.For"/>; null for none.</summary>
    public FaultDetail? Detail => _detail as FaultDetail;

    /// <summary>With what scopes the caller must sign in again; null unless the refusal asks for a step-up.</summary>
    public StepUpChallenge? StepUp => _detail as StepUpChallenge;

    public static StageResult Refuse(RefusalReason reason, StepUpChallenge? stepUp = null)
    {
        Debug.Assert(reason is not RefusalReason.None, "A refusal has a reason.");
        Debug.Assert((reason is RefusalReason.StepUpNeeded) == (stepUp is not null), "What the caller has to do goes with the one reason.");
        return new StageResult(StageKind.Refuse, refusal: reason, detail: stepUp);
    }

    public static StageResult Fail(FaultReason reason, FaultDetail? detail = null)
    {
        Debug.Assert(reason is not FaultReason.None, "A fault has a reason.");
        return new StageResult(StageKind.Fault, fault: reason, detail: detail);
    }

    public static StageResult Reply(OwnReply reply) => new(StageKind.Reply, detail: reply);
}

/// <summary>Details of one fault, in place of those that <see cref="Fault.For"/> has for its kind.</summary>
/// <param name="RetryAfterSeconds">The <c>Retry-After</c> of a 503, in seconds; 0 for the default.</param>
/// <param name="Message">What the user can do; null for the kind's own sentence.</param>
/// <param name="Code">A more specific stable code; null for the kind's own code.</param>
/// <param name="Failure">For the log only, never for the client: why no connection could be made. Null for any other fault.</param>
internal sealed record FaultDetail(int RetryAfterSeconds, string? Message = null, string? Code = null, ConnectFailure? Failure = null);
