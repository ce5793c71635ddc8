namespace McpProxyFast;

/// <summary>Decides about access tokens. A host with a scheme of its own implements it and hands it to <see cref="TokenPolicy.Custom"/>.</summary>
/// <remarks>
/// Called only for a token that has no verdict yet, once however many requests carry it, and never on a socket's thread. An answer that
/// takes longer than 15 s, or an exception, counts as <see cref="TokenVerdictKind.Unavailable"/>.
/// </remarks>
public interface ITokenValidator
{
    /// <summary>Decides about one token.</summary>
    /// <param name="token">The token as it came: RFC 6750 <c>b64token</c>, at most 16 KiB. It must reach no log.</param>
    /// <param name="cancellationToken">Cancelled when nobody will wait for the verdict any longer.</param>
    /// <returns>The verdict, with the time until which it may be used again.</returns>
    ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken);
}
