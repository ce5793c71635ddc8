namespace McpProxyFast;

/// <summary>Checks access tokens. A host with its own kind of tokens implements this interface and passes it to <see cref="TokenPolicy.Custom"/>.</summary>
/// <remarks>
/// It is called only for a token that has no verdict yet, only once even if many requests send the token, and never on a socket's thread. An answer that takes
/// longer than 15 s, an exception or a null counts as <see cref="TokenVerdictKind.Unavailable"/>: 503 <c>verdict-unavailable</c>. The type of the exception is
/// logged, at most once a minute. Its message is not logged, since it may contain the token.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Checks one token.</summary>
    /// <param name="token">The token as the client sent it: RFC 6750 <c>b64token</c>, at most 16 KiB. It must not be logged.</param>
    /// <param name="cancellationToken">
    /// Cancelled when nobody waits for the verdict any longer. Callbacks run on another thread; their exceptions are logged and ignored.
    /// </param>
    /// <returns>The verdict, with the time until which it may be used again. If tokens are exchanged, also with the time at which the token expires.</returns>
    ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken);
}
