namespace McpProxyFast;

/// <summary>Decides about access tokens. A host with a scheme of its own implements it and hands it to <see cref="TokenPolicy.Custom"/>.</summary>
/// <remarks>
/// Called only for a token that has no verdict yet, once however many requests carry it, and never on a socket's thread. An answer that takes longer than
/// 15 s, an exception, or no verdict at all counts as <see cref="TokenVerdictKind.Unavailable"/>: 503 <c>verdict-unavailable</c>. The type of the exception is
/// logged, at first and then at most once a minute, but not its text, which may hold the token.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Decides about one token.</summary>
    /// <param name="token">The token as it came: RFC 6750 <c>b64token</c>, at most 16 KiB. It must reach no log.</param>
    /// <param name="cancellationToken">
    /// Cancelled when nobody will wait for the verdict any longer. Callbacks run on another thread; what they throw is logged and ignored.
    /// </param>
    /// <returns>The verdict, with the time until which it may be used again, and where tokens are exchanged, the end of the token.</returns>
    ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken);
}
