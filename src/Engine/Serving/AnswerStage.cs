using System.Diagnostics;
using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>Makes the proxy's own response when a stage stops an exchange. Not used when the upstream answers.</summary>
internal static class AnswerStage
{
    /// <summary>Makes the response and records its reason in the outcome.</summary>
    /// <param name="stage">What the stage returned; never "go on".</param>
    /// <param name="owner">The exchange's connection.</param>
    /// <param name="request">The request. Its pump has been joined.</param>
    /// <param name="outcome">The outcome of the exchange.</param>
    /// <param name="end">How the exchange ends, for the report.</param>
    /// <returns>The response; null if the client has gone, or no response to it is possible.</returns>
    public static OwnReply? Word(in StageResult stage, ClientConnection owner, RequestStream request, ExchangeOutcome outcome, out ExchangeEnd end)
    {
        switch (stage.Kind)
        {
            case StageKind.Refuse:
                outcome.Refusal = stage.Refusal;
                end = ExchangeEnd.Refused;
                return OwnReplies.Refused(stage.Refusal, ChallengeFor(stage, owner, request));
            case StageKind.Reply:
                end = ExchangeEnd.AnsweredByProxy;
                return stage.OwnReply;
            case StageKind.Fault:
                outcome.Fault = stage.Fault;
                outcome.Code = stage.Detail?.Code;
                outcome.Failure = stage.Detail?.Failure;
                bool isTold = Fault.For(stage.Fault).Status != 0;
                end = isTold ? ExchangeEnd.Faulted : stage.Fault is FaultReason.ClientGone ? ExchangeEnd.ClientGone : ExchangeEnd.Cut;
                return isTold ? OwnReplies.Faulted(stage.Fault, request.FindId().Span, stage.Detail) : null;
            default:
                throw new UnreachableException("A stage that goes on has no answer.");
        }
    }

    /// <summary>The challenge for a refusal, as a complete field line; empty if the refusal has none.</summary>
    private static string ChallengeFor(in StageResult stage, ClientConnection owner, RequestStream request)
    {
        ChallengeKind kind = Refusal.For(stage.Refusal).Challenge;
        if (kind is ChallengeKind.None)
        {
            return "";
        }

        // A proxy that does not check tokens, but exchanges them, has no resource metadata. Then the challenge names none.
        Entrance entrance = owner.Entrance;
        ReadOnlyMemory<byte> line = owner.Parts.Tokens is { } tokens
            ? tokens.Challenge.LineFor(kind, entrance.Scheme, request.Authority, request.Path, entrance.Resource, stage.StepUp)
            : BearerChallenge.Bare(kind, stage.StepUp);
        return Encoding.ASCII.GetString(line.Span);
    }
}
