using System.Text.Json;

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

    /// <summary>Most questions out at the same time, half of what the gate lets wait: an endpoint that hangs leaves room for tokens by known keys.</summary>
    public const int MaxAsked = TokenGate.MaxPending / 2;

    /// <summary>The rule for the claims of the answer. Set for life.</summary>
    private readonly ClaimRule _claims = new(policy);

    /// <summary>How many questions are out.</summary>
    private int _asked;

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return Interlocked.Increment(ref _asked) <= MaxAsked
                ? Decide(await ask(token, cancellationToken).ConfigureAwait(false))
                : TokenVerdict.Unavailable("too-many-introspections", retryAfterSeconds: 1);
        }
        catch (InvalidOperationException fault)
        {
            throw new IOException("the introspection answer has a text that is not Unicode", fault);
        }
        finally
        {
            Interlocked.Decrement(ref _asked);
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
