using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>Who may come in: host, origin, token, in this order; the first refusal wins.</summary>
internal sealed partial class ClientConnection
{
    private TokenMemo _tokenMemo;

    /// <summary>Whether the request is for a name that this proxy goes by. Health is told to everybody.</summary>
    private bool AdmitsHost() => _entrance.Origins.AllowsHost(_request!.Authority) || IsForHealth(_request);

    /// <summary>The other checks that need no token.</summary>
    private RefusalReason AdmitByHead()
    {
        RequestHead request = _request!;
        if (request.Fields.Has(KnownField.Origin))
        {
            int line = request.Fields.Single(KnownField.Origin);
            if (line < 0 || !_entrance.Origins.AllowsOrigin(request.Value(request.Fields.Slots[line])))
            {
                return RefusalReason.OriginNotAllowed;
            }
        }

        return request.Framing.DeclaredLength > _parts.Limits.MaxRequestBodyBytes ? RefusalReason.BodyTooLarge : RefusalReason.None;
    }

    /// <summary>Decides about the token from memory, as nearly always.</summary>
    /// <param name="refused">Why a request without a usable token is refused.</param>
    /// <param name="verdict">Null where there is nothing to refuse, or where the token has to be looked at.</param>
    /// <returns>False where the token has to be looked at.</returns>
    private bool TryAdmitByToken(out RefusalReason refused, out TokenVerdict? verdict)
    {
        verdict = null;
        refused = RefusalReason.None;
        if (_parts.Tokens is not { } tokens)
        {
            return true;
        }

        refused = ReadToken(out ReadOnlySpan<byte> token);
        return refused is not RefusalReason.None || tokens.Gate.TryDecide(token, ref _tokenMemo, out verdict);
    }

    private RefusalReason ReadToken(out ReadOnlySpan<byte> token)
    {
        token = default;
        RequestHead request = _request!;
        int line = request.Fields.Single(KnownField.Authorization);
        if (line < 0)
        {
            return line == -1 ? RefusalReason.CredentialsMissing : RefusalReason.AuthorizationRepeated;
        }

        return BearerToken.Read(request.Value(request.Fields.Slots[line]), out token) switch
        {
            BearerRead.Token => RefusalReason.None,
            BearerRead.Malformed => RefusalReason.TokenInvalid,
            _ => RefusalReason.CredentialsMissing,
        };
    }

    /// <summary>The cold way: the token is validated, off the socket's thread, while the client is watched.</summary>
    private async ValueTask<TokenVerdict?> LookAtTokenAsync()
    {
        using ColdWait wait = StartColdWait();
        try
        {
            return await _parts.Tokens!.Gate.DecideAsync(TokenBytes(), wait.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null; // the client went away, or the proxy was stopped
        }
    }

    private ReadOnlyMemory<byte> TokenBytes()
    {
        ReadToken(out ReadOnlySpan<byte> token);
        return token.ToArray();
    }

    private ValueTask<bool> AnswerVerdictAsync(TokenVerdict? verdict) => verdict?.Kind switch
    {
        null => FaultAsync(CutReason),
        TokenVerdictKind.Unavailable => FaultAsync(FaultReason.VerdictUnavailable, verdict.RetryAfterSeconds),
        TokenVerdictKind.InsufficientScope => RefuseAsync(RefusalReason.ScopeInsufficient),
        _ => RefuseAsync(RefusalReason.TokenInvalid),
    };

    /// <summary>The challenge of a refusal, as a complete field line; empty for a refusal that has none.</summary>
    private string ChallengeFor(RefusalReason reason)
    {
        ChallengeKind? kind = reason switch
        {
            RefusalReason.CredentialsMissing => ChallengeKind.NoCredentials,
            RefusalReason.TokenInvalid => ChallengeKind.InvalidToken,
            RefusalReason.ScopeInsufficient => ChallengeKind.InsufficientScope,
            _ => null,
        };
        return kind is null ? ""
            : Encoding.ASCII.GetString(_parts.Tokens!.Challenge.LineFor(kind.Value, _entrance.Scheme, _request!.Authority, _request.Path).Span);
    }
}
