using System.Text.Json;
using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>Validates opaque tokens by asking an introspection endpoint (RFC 7662).</summary>
/// <param name="ask">
/// Asks the endpoint about a token and returns the claims in its answer. Throws an <see cref="IOException"/> if there is no usable answer.
/// </param>
/// <param name="policy">The issuer, audience and scopes that tokens must have.</param>
/// <param name="clock">The clock for expiry.</param>
internal sealed class IntrospectionValidator(
    Func<string, CancellationToken, Task<JsonElement>> ask, IntrospectionPolicy policy, TimeProvider clock) : ITokenValidator
{
    /// <summary>The longest time for which an answer is reused. A revoked token still passes for that time at most (RFC 7662 §4).</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    /// <summary>The maximum number of requests to the endpoint at a time. Each takes a connection.</summary>
    public const int MaxAsked = 256;

    /// <summary>
    /// The maximum number of tokens that wait until the endpoint is asked, for example after a restart with many callers. The cache has no room for more
    /// verdicts anyway.
    /// </summary>
    public const int MaxWaiting = TokenCache<CachedVerdict>.Capacity;

    /// <summary>The longest time that a token waits until the endpoint is asked.</summary>
    /// <remarks>
    /// Together with <see cref="TokenGate.DecisionTimeout"/> for the request itself it is below the 60 s after which MCP clients commonly give up.
    /// </remarks>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>The rule for the claims of the answer. Never changes.</summary>
    private readonly ClaimRule _claims = new(policy);

    /// <summary>The lane for introspected tokens. It has its own limits, so that a slow endpoint does not delay tokens that are checked with keys.</summary>
    public TokenLane Lane => new(this, new FlightLimits(MaxAsked, MaxWaiting, MaxWait), "too-many-introspections");

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return Decide(await ask(token, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidOperationException fault)
        {
            throw new IOException("the introspection answer has a string that is not valid Unicode", fault);
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

    // Whether the answer names another issuer. Most servers leave the optional `iss` out (RFC 7662 §2.2). That is accepted, since the operator has chosen the
    // endpoint.
    private bool IsFromAnother(JsonElement answer) =>
        policy.Issuer is not null && answer.TextOf("iss") is { } issuer && !IssuerName.Same(issuer, policy.Issuer);
}
