using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Validates opaque tokens by what an introspection endpoint says of them (RFC 7662).</summary>
/// <param name="ask">Gets the answer's claims, or says with an <see cref="IOException"/> that it could not.</param>
/// <param name="policy">Whose tokens, for whom.</param>
/// <param name="clock">Expiry goes by it.</param>
internal sealed class IntrospectionValidator(Func<string, CancellationToken, Task<JsonElement>> ask, TokenPolicy policy, TimeProvider clock) : ITokenValidator
{
    /// <summary>Longest time an answer is used again. It bounds how long a revoked token still passes (RFC 7662 §4).</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    private readonly ClaimRule _claims = new(policy.RequiredScopes);

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        JsonElement answer = await ask(token, cancellationToken).ConfigureAwait(false);
        return FaultOf(answer) is { } fault ? TokenVerdict.Invalid(fault) : _claims.Decide(answer, Latest(answer));
    }

    private string? FaultOf(JsonElement answer)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return !IsActive(answer) ? "inactive"
            : Time(answer, "exp") is { } end && end <= now - policy.ClockSkew ? "expired"
            : Time(answer, "nbf") is { } start && start > now + policy.ClockSkew ? "not-yet-valid"
            : IsFromAnother(answer) ? "wrong-issuer"
            : policy.Audiences.Count > 0 && !Audiences(answer).Any(policy.Audiences.Contains) ? "wrong-audience"
            : null;
    }

    private static bool IsActive(JsonElement answer) => answer.TryGetProperty("active", out JsonElement active) && active.ValueKind is JsonValueKind.True;

    // Most servers leave `iss` out (it is optional, RFC 7662 §2.2), and it was the operator who said whom to ask.
    private bool IsFromAnother(JsonElement answer) =>
        policy.Issuer is not null && answer.TextOf("iss") is { } issuer && !IssuerName.Same(issuer, policy.Issuer);

    private static IEnumerable<string> Audiences(JsonElement answer) =>
        !answer.TryGetProperty("aud", out JsonElement audience) ? []
        : audience.ValueKind is JsonValueKind.String ? [audience.GetString()!]
        : audience.ValueKind is not JsonValueKind.Array ? []
        : audience.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String).Select(item => item.GetString()!);

    private DateTimeOffset Latest(JsonElement answer)
    {
        DateTimeOffset latest = clock.GetUtcNow() + MaxAge;
        return Time(answer, "exp") + policy.ClockSkew is { } end && end < latest ? end : latest;
    }

    /// <summary>A NumericDate (RFC 7519 §2), whole seconds; null where it is absent. A number that no date has counts as long past.</summary>
    private static DateTimeOffset? Time(JsonElement answer, string name)
    {
        if (!answer.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.Null)
        {
            return null;
        }

        const long mostSeconds = 200_000_000_000;
        return value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out double seconds) && seconds is >= 0 and < mostSeconds
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : DateTimeOffset.UnixEpoch;
    }
}
