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
    /// <summary>The longest time for which an answer is reused. So a token that is revoked still passes for at most this time (RFC 7662 §4).</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    /// <summary>The maximum number of requests to the endpoint at the same time, since each needs a connection. Further tokens wait.</summary>
    public const int MaxAsked = 256;

    /// <summary>
    /// The maximum number of tokens that wait until the endpoint is asked, for example after a restart with many callers. Further tokens are answered with 503.
    /// It equals the capacity of the cache, which could not keep more verdicts anyway.
    /// </summary>
    public const int MaxWaiting = TokenCache<CachedVerdict>.Capacity;

    /// <summary>The longest time that a token waits until the endpoint is asked. After that the response is 503.</summary>
    /// <remarks>
    /// The sum of this time and <see cref="TokenGate.DecisionTimeout"/>, for the request to the endpoint, is below the 60 s after which MCP clients commonly
    /// give up.
    /// </remarks>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>Checks the claims in the endpoint's answer. Never changes.</summary>
    private readonly ClaimRule _claims = new(policy);

    /// <summary>
    /// The lane (this validator with a queue) for introspected tokens. It has limits of its own, so that a slow endpoint does not delay tokens that are checked
    /// with keys.
    /// </summary>
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

    // Whether the answer names another issuer. Most servers leave out the optional `iss` (RFC 7662 §2.2). Such an answer is accepted, since the operator has
    // chosen the endpoint.
    private bool IsFromAnother(JsonElement answer) =>
        policy.Issuer is not null && answer.TextOf("iss") is { } issuer && !IssuerName.Same(issuer, policy.Issuer);
}
