using System.Text.Json;
using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>Validates opaque tokens by what an introspection endpoint says of them (RFC 7662).</summary>
/// <param name="ask">Gets the answer's claims, or says with an <see cref="IOException"/> that it could not.</param>
/// <param name="policy">Whose tokens, for whom.</param>
/// <param name="clock">The clock for expiry.</param>
internal sealed class IntrospectionValidator(
    Func<string, CancellationToken, Task<JsonElement>> ask, IntrospectionPolicy policy, TimeProvider clock) : ITokenValidator
{
    /// <summary>Longest time an answer is used again. It bounds how long a revoked token still passes (RFC 7662 §4).</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    /// <summary>Most questions out at the same time: each takes a connection to the endpoint.</summary>
    public const int MaxAsked = 256;

    /// <summary>Most tokens that wait until they are asked about, as after a restart with many callers. No more verdicts than that are kept anyway.</summary>
    public const int MaxWaiting = TokenCache<CachedVerdict>.Capacity;

    /// <summary>Longest wait until a token is asked about.</summary>
    /// <remarks>With <see cref="TokenGate.DecisionTimeout"/> for the question itself it is below the 60 s after which MCP clients commonly give up.</remarks>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>The rule for the claims of the answer. Never changes.</summary>
    private readonly ClaimRule _claims = new(policy);

    /// <summary>Introspection with places of its own: an endpoint that hangs takes none from tokens that are checked with keys.</summary>
    public TokenLane Lane => new(this, new FlightLimits(MaxAsked, MaxWaiting, MaxWait), "too-many-introspections");

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return Decide(await ask(token, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidOperationException fault)
        {
            throw new IOException("the introspection answer has a text that is not Unicode", fault);
        }
    }

    private TokenVerdict Decide(JsonElement answer)
    {
        if (!IsActive(answer))
        {
            return TokenVerdict.Invalid("inactive");
        }

        if (!ClaimTimes.TryRead(answer, out ClaimTimes times))
        {
            throw new IOException("the introspection answer has an exp or nbf that is not a number");
        }

        DateTimeOffset now = clock.GetUtcNow();
        string? fault = times.FaultAt(now, policy.ClockSkew) ?? (IsFromAnother(answer) ? "wrong-issuer" : _claims.FaultOf(answer));
        return fault is null
            ? _claims.Decide(answer, times.EndBy(now + MaxAge, policy.ClockSkew), times.Expires)
            : TokenVerdict.Invalid(fault);
    }

    private static bool IsActive(JsonElement answer) => answer.TryGetProperty("active", out JsonElement active) && active.ValueKind is JsonValueKind.True;

    // Most servers leave `iss` out (it is optional, RFC 7662 §2.2), and it was the operator who said whom to ask.
    private bool IsFromAnother(JsonElement answer) =>
        policy.Issuer is not null && answer.TextOf("iss") is { } issuer && !IssuerName.Same(issuer, policy.Issuer);
}
