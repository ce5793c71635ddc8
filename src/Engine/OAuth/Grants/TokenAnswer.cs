using System.Globalization;
using System.Net;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Checks and reads the answer of a token endpoint (RFC 6749 §5).</summary>
internal static class TokenAnswer
{
    // Some servers state a huge lifetime for a token that never expires. Such a token is still renewed once a year.
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(365);

    /// <summary>
    /// The maximum length of an access token in bytes, the same as for incoming tokens; a longer one is refused. The token is part of the head of every
    /// request.
    /// </summary>
    public const int MaxAccessTokenBytes = 16 * 1024;

    /// <summary>The maximum length of a refresh token or ID token in characters; a longer one is refused. Both are stored.</summary>
    private const int MaxOtherToken = 64 * 1024;

    /// <summary>The members with text for people in errors that are not OAuth errors. Some are from RFC 9457, some are used by single providers.</summary>
    private static readonly string[] OtherWords = ["title", "detail", "message", "reason", "errors"];

    // A shorter stated lifetime is raised to this one, so that the server is not asked again and again. If the token expires earlier, it is renewed when the
    // upstream refuses it.
    private static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(10);

    /// <param name="answer">The HTTP answer.</param>
    /// <param name="server">The server that sent it.</param>
    /// <param name="bound">Whether a token was requested that is bound to a key (DPoP).</param>
    /// <param name="redaction">The secrets of the request, which must not appear in a message.</param>
    /// <param name="clock">The clock from which the token's expiry is computed.</param>
    /// <param name="dialect">How the server's answers differ from RFC 6749.</param>
    /// <exception cref="OAuthException">The answer is an error, or has no tokens that can be used.</exception>
    public static TokenSet Read(
        TokenResponse answer, ServerMetadata server, bool bound, Redaction redaction, TimeProvider clock, TokenDialect dialect)
    {
        ThrowIfFailed(answer, server.TokenEndpoint!, redaction);
        JsonElement json = dialect.TokensIn(answer.Json!.Value);
        string token = json.TextOf("access_token") is { Length: > 0 } given ? given : throw Unusable(server, "it holds no access_token");
        if (token.Any(character => character is <= ' ' or >= (char)127))
        {
            throw Unusable(server, "its access_token contains characters that a header must not contain");
        }

        (string? refresh, string? idToken) = (json.TextOf("refresh_token"), json.TextOf("id_token"));
        string? tooLong = token.Length > MaxAccessTokenBytes ? "access_token" : refresh?.Length > MaxOtherToken ? "refresh_token"
            : idToken?.Length > MaxOtherToken ? "id_token" : null;
        if (tooLong is not null)
        {
            throw Unusable(server, $"its {tooLong} is longer than {(tooLong is "access_token" ? MaxAccessTokenBytes : MaxOtherToken) / 1024} KiB");
        }

        DateTimeOffset now = clock.GetUtcNow();
        return new TokenSet
        {
            AccessToken = token,
            TokenType = ReadType(json, server, bound, dialect, redaction),
            RefreshToken = refresh is { Length: > 0 } ? refresh : null,
            IdToken = idToken,
            Scope = json.TextOf("scope"),
            IssuedAt = now,
            ExpiresAt = now + Lifetime(json),
        };
    }

    /// <summary>Throws if the answer is not a success. <see cref="OAuthException.Failure"/> says what can help.</summary>
    public static void ThrowIfFailed(ProtocolResponse answer, string endpoint, Redaction redaction)
    {
        if (answer.Exception is OAuthException failure)
        {
            throw failure.Saying($"{endpoint} could not be asked: {failure.Message}");
        }

        if (answer.Exception is OperationCanceledException)
        {
            ExceptionDispatchInfo.Throw(answer.Exception);
        }

        if (ErrorOf(answer) is { } error && !DiscoveryLog.IsTransient(answer.HttpStatusCode))
        {
            throw FromError(answer.HttpStatusCode, redaction.Of(error)!, redaction.Of(DescriptionIn(answer.Json!.Value)), endpoint);
        }

        if (ObjectIn(answer) is null || (int)answer.HttpStatusCode is < 200 or > 299)
        {
            throw Unexpected(answer, endpoint, redaction);
        }
    }

    /// <summary>
    /// Returns the error code in an answer; null if it has none. If the member <c>error</c> is an object, this is its member <c>type</c> or <c>code</c>.
    /// </summary>
    public static string? ErrorOf(ProtocolResponse answer)
    {
        if (ObjectIn(answer) is not { } json)
        {
            return null;
        }

        string? named = ErrorObjectIn(json) is { } inner ? inner.WordOf("type") ?? inner.WordOf("code") ?? "error" : json.WordOf("error");
        return named is { Length: > 0 } error ? error : null;
    }

    private static string? DescriptionIn(JsonElement json) =>
        ErrorObjectIn(json) is { } inner ? inner.WordOf("message") : json.WordOf("error_description");

    /// <summary>Returns the member <c>error</c> if it is an object, as Facebook's Graph API sends it; null if it is a string, or missing.</summary>
    /// <remarks>https://developers.facebook.com/docs/graph-api/guides/error-handling</remarks>
    private static JsonElement? ErrorObjectIn(JsonElement json) =>
        json.TryGetProperty("error", out JsonElement error) && error.ValueKind is JsonValueKind.Object && error.HasReadableNames() ? error : null;

    /// <summary>Returns the answer as a JSON object; null if it is something else.</summary>
    private static JsonElement? ObjectIn(ProtocolResponse answer) =>
        answer.Json is { ValueKind: JsonValueKind.Object } json && json.HasReadableNames() ? json : null;

    private static OAuthException FromError(HttpStatusCode status, string error, string? description, string endpoint)
    {
        string reason = description is null ? error : $"{error} ({description})";
        string message = Printable.Of($"{endpoint} refused: {reason}. {OAuthError.Next(error, description)}").TrimEnd();
        OAuthFailure failure = error switch
        {
            "invalid_grant" => OAuthFailure.GrantLost,
            "invalid_client" or "unauthorized_client" => OAuthFailure.ClientUnknown,
            "temporarily_unavailable" or "server_error" => OAuthFailure.Transient,
            _ => OAuthFailure.Refused,
        };
        string code = error switch
        {
            "invalid_grant" => "grant-lost",
            "invalid_client" or "unauthorized_client" => "client-unknown",
            "authorization_pending" or "slow_down" or "access_denied" or "expired_token" => error.Replace('_', '-'),
            _ => "token-refused",
        };
        return new OAuthException(failure, code, message) { Status = status };
    }

    // The answer is not an OAuth answer but, for example, the error page of a gateway. It says nothing about the refresh token, so the proxy keeps it.
    private static OAuthException Unexpected(ProtocolResponse answer, string endpoint, Redaction redaction) =>
        new(
            OAuthFailure.Transient,
            "token-endpoint-unavailable",
            $"{endpoint} answered {(int)answer.HttpStatusCode} with something that is not an OAuth answer{WordsOf(answer, redaction)}. A later request tries "
            + "again. If this goes on, check OAuthPolicy.Server, which sets the authorization server.")
        {
            Status = answer.HttpStatusCode,
        };

    /// <summary>
    /// Returns, in brackets, the text for people in an error that is not an OAuth error; otherwise empty. Text from a successful answer is not shown, since it
    /// may contain tokens.
    /// </summary>
    private static string WordsOf(ProtocolResponse answer, Redaction redaction)
    {
        if ((int)answer.HttpStatusCode < 400 || ObjectIn(answer) is not { } json)
        {
            return "";
        }

        string words = string.Join(", ", OtherWords.Select(name => json.WordOf(name)).OfType<string>());
        return words.Length == 0 ? "" : $" ({Printable.Of(redaction.Of(words)!)})";
    }

    private static OAuthException Unusable(ServerMetadata server, string why) =>
        OAuthException.Refused("token-unusable",
            $"The answer of {server.TokenEndpoint} cannot be used: {why}. This has to be fixed at the authorization server.");

    private static string ReadType(JsonElement json, ServerMetadata server, bool bound, TokenDialect dialect, Redaction redaction)
    {
        string type = json.TextOf("token_type") ?? "Bearer";
        if (type.Equals("DPoP", StringComparison.OrdinalIgnoreCase) && bound)
        {
            return "DPoP";
        }

        if (bound)
        {
            throw Unusable(server, "a token bound to a key (DPoP) was asked for, but an unbound one was given");
        }

        return dialect.IsBearer(type) ? "Bearer"
            : throw Unusable(server, $"its token_type is {Printable.Of(redaction.Of(type)!)}{HintFor(type)}");
    }

    private static string HintFor(string type) =>
        TokenDialect.Slack.IsBearer(type) ? " (as Slack writes it: set AuthorizationCode.ScopeParameter to user_scope)" : "";

    // If expires_in is missing, zero, negative or not a number, the lifetime is unknown, and the token is used until the upstream refuses it.
    private static TimeSpan? Lifetime(JsonElement json)
    {
        if (!json.TryGetProperty("expires_in", out JsonElement value))
        {
            return null;
        }

        string? text = value.ValueKind is JsonValueKind.String ? JsonMember.Text(value) : value.GetRawText();
        bool isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds);
        return isNumber && seconds > 0 ? TimeSpan.FromSeconds(Math.Clamp(seconds, MinLifetime.TotalSeconds, MaxLifetime.TotalSeconds)) : null;
    }
}
