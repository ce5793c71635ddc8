using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth.Net;

/// <summary>Thrown if a credential cannot be obtained. The message says what went wrong, is meant for a person, and contains no secret.</summary>
internal sealed class OAuthException : Exception
{
    /// <summary>The maximum length of the message in characters; the rest is cut off. It may quote a server's text of any length.</summary>
    public const int MaxMessageLength = 4 * 1024;

    public OAuthException(OAuthFailure failure, string code, string message, Exception? inner = null)
        : base(PlainText.OfMessage(message.Length <= MaxMessageLength ? message : message[..MaxMessageLength] + " (cut)"), inner)
    {
        Failure = failure;
        Code = code;
    }

    /// <summary>What can help after the failure.</summary>
    public OAuthFailure Failure { get; }

    /// <summary>The HTTP status of the server's answer; null if there was no answer, or the status does not matter.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>Whether the request may have reached the server but no answer came, so that the server may have acted on it.</summary>
    public bool IsUnanswered { get; init; }

    /// <summary>
    /// Whether the server has answered with an HTTP response that cannot be used: too large, incomplete, or malformed. Another URL of the same server may still
    /// work.
    /// </summary>
    public bool IsUnusableAnswer => Code is BoundedHandler.AnswerTooLarge || InnerException is IOException or HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded,
    };

    /// <summary>A stable error code for logs and for the JSON-RPC error's <c>data</c>.</summary>
    public string Code { get; }

    /// <summary>Returns the same failure with another message.</summary>
    public OAuthException Saying(string message) => new(Failure, Code, message, this) { Status = Status, IsUnanswered = IsUnanswered };

    public static OAuthException Refused(string code, string message) => new(OAuthFailure.Refused, code, message);

    public static OAuthException Transient(string code, string message, Exception? inner = null) => new(OAuthFailure.Transient, code, message, inner);
}
