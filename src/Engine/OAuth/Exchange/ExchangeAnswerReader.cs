using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth.Exchange;

/// <summary>Interprets the answer to a token exchange request (RFC 8693 §2.2, RFC 6749 §5).</summary>
/// <param name="redaction">The secrets of the request, which must not appear in a message.</param>
/// <param name="now">When the answer came.</param>
internal sealed class ExchangeAnswerReader(Redaction redaction, DateTimeOffset now)
{
    /// <summary>The maximum length of the new token in bytes: the same limit as for incoming tokens. A longer one is not used.</summary>
    public const int MaxTokenBytes = TokenAnswer.MaxAccessTokenBytes;

    /// <summary>
    /// The maximum length, in characters, of the <c>claims</c> that the caller is told to ask for. Longer ones are left out: the challenge that carries them
    /// must fit into a client's limit for response heads.
    /// </summary>
    private const int MaxClaims = 4 * 1024;

    private const int MaxAcrValues = 1024;

    /// <summary>The maximum number of characters of a server's message in a log line. A longer message is cut.</summary>
    private const int MaxMessage = 1_000;

    /// <summary>The lifetime of a token if the server does not state one.</summary>
    private static readonly TimeSpan UnstatedLifetime = TimeSpan.FromSeconds(60);

    /// <summary>The lower bound for a stated lifetime. If a server states almost zero, it would otherwise be asked again for every request.</summary>
    private static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(1);

    /// <summary>The upper bound for a stated lifetime. Some servers state a huge number for "never expires".</summary>
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(365);

    public ExchangeAnswer Read(TokenResponse answer)
    {
        if (answer.Exception is OAuthException failure)
        {
            return new ExchangeAnswer(failure.Failure is OAuthFailure.Transient ? ExchangeVerdict.Unavailable : ExchangeVerdict.Unusable, failure.Message);
        }

        bool hasAnswered = (int)answer.HttpStatusCode != 0;
        if (!hasAnswered || DiscoveryLog.IsTransient(answer.HttpStatusCode))
        {
            string what = hasAnswered ? $"answered {(int)answer.HttpStatusCode}" : "did not answer";
            return new ExchangeAnswer(ExchangeVerdict.Unavailable, $"it {what}") { RetryAfter = RetryAfter(answer) };
        }

        if (answer.Json is not { ValueKind: JsonValueKind.Object } json || !json.HasReadableNames())
        {
            return Unusable($"it answered {(int)answer.HttpStatusCode} with something that is not a JSON object");
        }

        bool isSuccess = (int)answer.HttpStatusCode is >= 200 and <= 299;
        return Text(answer, "error") is { Length: > 0 } error ? FromError(answer, error)
            : isSuccess ? FromToken(answer)
            : new ExchangeAnswer(ExchangeVerdict.Refused, $"it answered {(int)answer.HttpStatusCode} without an OAuth error code");
    }

    private ExchangeAnswer FromError(TokenResponse answer, string error)
    {
        string description = Text(answer, "error_description") is { } said ? $" ({said})" : "";
        string message = Shown($"{error}{description}");

        // With several error codes, Microsoft Entra sends the claims that it demands in the member `claims`.
        bool needsStepUp = error is "interaction_required" or "insufficient_user_authentication" or "login_required" or "consent_required"
            || Raw(answer, "claims") is not null;
        if (needsStepUp)
        {
            return new ExchangeAnswer(ExchangeVerdict.StepUpNeeded, message) { StepUp = StepUp(answer) };
        }

        return new ExchangeAnswer(
            error switch
            {
                "invalid_grant" or "invalid_token" => ExchangeVerdict.SubjectRefused,
                "invalid_target" => ExchangeVerdict.TargetRefused,
                "invalid_scope" => ExchangeVerdict.ScopeRefused,
                "access_denied" => ExchangeVerdict.Denied,
                "temporarily_unavailable" or "server_error" => ExchangeVerdict.Unavailable,
                _ => ExchangeVerdict.Refused,
            },
            message);
    }

    private StepUpChallenge StepUp(TokenResponse answer)
    {
        string? wanted = Raw(answer, "claims") is { Length: > 0 and <= MaxClaims } given && !redaction.IsIn(given) ? given : null;
        string? claims = wanted is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(wanted));
        bool isPassedOn = Text(answer, "acr_values") is { Length: > 0 and <= MaxAcrValues } named && named.All(IsQuotable) && !redaction.IsIn(named);
        string? contexts = isPassedOn ? Text(answer, "acr_values") : null;
        string? age = Raw(answer, "max_age") is { Length: > 0 and <= 10 } seconds && seconds.All(char.IsAsciiDigit) ? seconds : null;
        return new StepUpChallenge(claims is null ? "insufficient_user_authentication" : "insufficient_claims", claims, contexts, age);
    }

    private ExchangeAnswer FromToken(TokenResponse answer)
    {
        string type = Text(answer, "token_type") ?? "Bearer";
        string issued = Text(answer, "issued_token_type") ?? "";
        string token = Text(answer, "access_token") ?? "";

        // N_A marks a token that is not an access token (RFC 8693 §2.2.1), such as a requested ID token.
        string? wrong = token.Length == 0 ? "its answer holds no access_token"
            : token.Length > MaxTokenBytes ? $"its token is longer than {MaxTokenBytes / 1024} KiB"
            : !PolicyValue.IsWord(token) ? "its token contains characters that a header must not contain"
            : !type.Equals("Bearer", StringComparison.OrdinalIgnoreCase) && type != "N_A" ? $"its token_type is {Shown(type)}, which cannot be sent"
            : issued.EndsWith(":refresh_token", StringComparison.Ordinal) || issued.Contains(":saml", StringComparison.Ordinal)
                ? $"its token is a {Shown(issued)}, which cannot be sent"
            : null;
        return wrong is not null
            ? Unusable(wrong)
            : new ExchangeAnswer(ExchangeVerdict.Issued, "") { Token = token, IssuedAt = now, ExpiresAt = EndOf(answer, token) };
    }

    private DateTimeOffset EndOf(TokenResponse answer, string token)
    {
        bool isStated = double.TryParse(Raw(answer, "expires_in"), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds > 0;
        if (isStated)
        {
            return now + TimeSpan.FromSeconds(Math.Clamp(seconds, MinLifetime.TotalSeconds, MaxLifetime.TotalSeconds));
        }

        DateTimeOffset end = now + UnstatedLifetime;
        return JwtLifetime.EndOf(Encoding.ASCII.GetBytes(token)) is { } own && own < end ? own : end;
    }

    /// <summary>Returns a server's text in a form that may be logged: without secrets and without control characters.</summary>
    private string Shown(string words)
    {
        string shown = Printable.Of(redaction.Of(words)!);
        return shown.Length <= MaxMessage ? shown : shown[..MaxMessage] + " (cut)";
    }

    /// <summary>Reads <c>Retry-After</c> (RFC 9110 §10.2.3), which is a number of seconds or a date. Returns null if it is missing or malformed.</summary>
    private TimeSpan? RetryAfter(TokenResponse answer)
    {
        RetryConditionHeaderValue? said = answer.HttpResponse?.Headers.RetryAfter;
        return said?.Delta ?? (said?.Date - now);
    }

    private static ExchangeAnswer Unusable(string why) => new(ExchangeVerdict.Unusable, why);

    /// <summary>Returns the value of a member that is a string; null if it is missing or not a string.</summary>
    private static string? Text(TokenResponse answer, string name) => answer.Json!.Value.TextOf(name);

    /// <summary>
    /// Returns the value of a member as text: a string, or the JSON text of a number or an object, since servers differ. Null if it is missing or has another
    /// type.
    /// </summary>
    private static string? Raw(TokenResponse answer, string name)
    {
        bool isOther = answer.Json!.Value.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.Number or JsonValueKind.Object;
        return isOther ? value.GetRawText() : Text(answer, name);
    }

    private static bool IsQuotable(char character) => character is >= ' ' and < '\x7f' and not '"' and not '\\';
}
