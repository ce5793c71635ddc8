using McpProxyFast.Admission;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>
/// Decides whether a request is admitted. The checks, in this order: forwarding loop, host, the proxy's own endpoints, origin and site, declared length, token.
/// The first check that refuses or answers the request decides.
/// </summary>
internal static class AdmissionStage
{
    /// <summary>Decides without waiting, from the request's head and the cached verdicts. That is nearly always possible.</summary>
    /// <param name="connection">The client's connection.</param>
    /// <param name="request">The request.</param>
    /// <param name="outcome">Receives the verdict on the token, which says who the caller is.</param>
    /// <param name="verdictIsDue">True if no verdict on the token is cached. Then <see cref="AwaitVerdictAsync"/> must be called.</param>
    public static StageResult Admit(ClientConnection connection, RequestHead request, ExchangeOutcome outcome, out bool verdictIsDue)
    {
        verdictIsDue = false;
        SharedServices parts = connection.Parts;
        if (parts.Hop.IsOn(request))
        {
            return StageResult.Refuse(RefusalReason.LoopDetected);
        }

        OriginRule origins = connection.Entrance.Origins;
        if (!origins.AllowsHost(request.Authority) && !OwnEndpoints.IsForHealth(request))
        {
            connection.Parts.Metrics.HostRefused(request.Authority, connection.Client.RemoteAddress);
            return StageResult.Refuse(RefusalReason.HostNotAllowed);
        }

        if (OwnEndpoints.Answer(request, parts, connection.Entrance) is { } own)
        {
            return StageResult.Reply(own);
        }

        if (!AllowsOrigin(origins, request))
        {
            parts.Metrics.OriginRefused(request.Value(KnownField.Origin));
            return StageResult.Refuse(RefusalReason.OriginNotAllowed);
        }

        if (request.Fields.Has(KnownField.SecFetchSite) && !AllowsSite(origins, request))
        {
            parts.Metrics.CrossSiteRefused();
            return StageResult.Refuse(RefusalReason.CrossSiteNotAllowed);
        }

        if (request.Framing.DeclaredLength > parts.Limits.MaxRequestBodyBytes)
        {
            return StageResult.Refuse(RefusalReason.BodyTooLarge);
        }

        if (parts.Tokens is not { } tokens)
        {
            return StageResult.GoOn;
        }

        RefusalReason refusal = PresentedToken.Read(request, out ReadOnlySpan<byte> token);
        if (refusal is not RefusalReason.None)
        {
            return StageResult.Refuse(refusal);
        }

        verdictIsDue = !tokens.Gate.TryDecide(token, ref connection.TokenMemo, out TokenVerdict? verdict);
        return verdictIsDue ? StageResult.GoOn : ResultOf(verdict!, outcome);
    }

    /// <summary>
    /// The cold path: validates the token on another thread than the event loop's. If the client disconnects meanwhile, the wait is cancelled.
    /// </summary>
    public static async ValueTask<StageResult> AwaitVerdictAsync(ClientConnection connection, RequestHead request, ExchangeOutcome outcome)
    {
        using SlowPathWait wait = connection.Interrupts.StartSlowPathWait();
        try
        {
            TokenVerdict verdict = await connection.Parts.Tokens!.Gate.DecideAsync(CopyToken(request), wait.Token).ConfigureAwait(false);
            return ResultOf(verdict, outcome);
        }
        catch (OperationCanceledException)
        {
            return StageResult.Fail(connection.Interrupts.CutReason);
        }
    }

    private static bool AllowsOrigin(OriginRule origins, RequestHead request)
    {
        if (!request.Fields.Has(KnownField.Origin))
        {
            return true;
        }

        return request.Fields.Single(KnownField.Origin, out int line) is Occurrence.Once && origins.AllowsOrigin(request.Value(request.Fields.Slots[line]));
    }

    /// <summary>
    /// Checks <c>Sec-Fetch-Site</c>. If the request has an <c>Origin</c>, that was checked before and is enough. Otherwise every line must be allowed.
    /// </summary>
    private static bool AllowsSite(OriginRule origins, RequestHead request)
    {
        if (request.Fields.Has(KnownField.Origin))
        {
            return true;
        }

        foreach (ref FieldSlot slot in request.Fields.Slots)
        {
            if (slot.Known is KnownField.SecFetchSite && !origins.AllowsSite(request.Value(slot)))
            {
                return false;
            }
        }

        return true;
    }

    private static ReadOnlyMemory<byte> CopyToken(RequestHead request)
    {
        PresentedToken.Read(request, out ReadOnlySpan<byte> token);
        return token.ToArray();
    }

    private static StageResult ResultOf(TokenVerdict verdict, ExchangeOutcome outcome)
    {
        outcome.Verdict = verdict;
        return verdict.Kind switch
        {
            TokenVerdictKind.Admitted => StageResult.GoOn,
            TokenVerdictKind.Unavailable => StageResult.Fail(FaultReason.VerdictUnavailable, new FaultDetail(verdict.RetryAfterSeconds)),
            TokenVerdictKind.InsufficientScope => StageResult.Refuse(RefusalReason.ScopeInsufficient),
            _ => StageResult.Refuse(RefusalReason.TokenInvalid),
        };
    }
}
