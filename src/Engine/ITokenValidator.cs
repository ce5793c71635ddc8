namespace McpProxyFast;

/// <summary>Checks access tokens. A host with its own kind of tokens implements this interface and passes it to <see cref="TokenPolicy.Custom"/>.</summary>
/// <remarks>
/// It is called only for a token without a cached verdict, and never on a thread that serves connections. If many requests send the same token at the same
/// time, it is called once for all of them. If a call takes longer than 15 s, throws or returns null, the verdict is
/// <see cref="TokenVerdictKind.Unavailable"/>: 503 <c>verdict-unavailable</c>. The type of the exception is logged. Its message is not logged, since it may
/// contain the token.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Checks one token.</summary>
    /// <param name="token">The token as the client sent it: RFC 6750 <c>b64token</c>, at most 16 KiB. It must not be logged.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the call has taken 15 s, or the proxy is disposed of. Callbacks that are registered on the token run on another thread; their exceptions
    /// are logged and ignored.
    /// </param>
    /// <returns>
    /// The verdict, with the time until which it may be used again. If tokens are exchanged (<see cref="TokenExchangePolicy"/>), also with the time at which
    /// the token expires.
    /// </returns>
    ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken);
}
