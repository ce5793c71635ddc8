using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth.Net;

/// <summary>Why a credential could not be obtained: what went wrong, in words for a person and without a secret.</summary>
internal sealed class OAuthException : Exception
{
    /// <summary>Longest message, in characters. It may quote a server's text, which is not bounded elsewhere.</summary>
    public const int MaxMessageLength = 4 * 1024;

    public OAuthException(OAuthFailure failure, string code, string message, Exception? inner = null)
        : base(PlainText.OfMessage(message.Length <= MaxMessageLength ? message : message[..MaxMessageLength] + " (cut)"), inner)
    {
        Failure = failure;
        Code = code;
    }

    /// <summary>What can be done about it.</summary>
    public OAuthFailure Failure { get; }

    /// <summary>The status of the server's answer; null if none came, or it does not matter.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>The request went out, as far as is known, and no answer came: the server may have acted on it.</summary>
    public bool IsUnanswered { get; init; }

    /// <summary>
    /// The server did answer, but with an unusable HTTP response: too large, cut, or malformed. Another place at the same server may answer well.
    /// </summary>
    public bool IsUnusableAnswer => Code is BoundedHandler.AnswerTooLarge || InnerException is IOException or HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded,
    };

    /// <summary>A stable word for logs and for the JSON-RPC error's <c>data</c>.</summary>
    public string Code { get; }

    /// <summary>The same failure with another message.</summary>
    public OAuthException Saying(string message) => new(Failure, Code, message, this) { Status = Status, IsUnanswered = IsUnanswered };

    public static OAuthException Refused(string code, string message) => new(OAuthFailure.Refused, code, message);

    public static OAuthException Transient(string code, string message, Exception? inner = null) => new(OAuthFailure.Transient, code, message, inner);
}
