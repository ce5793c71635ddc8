namespace McpProxyFast.Credentials;

/// <summary>The token that a caller sent, as received.</summary>
/// <param name="bytes">An RFC 6750 <c>b64token</c>; empty if the caller sent none.</param>
/// <param name="endsAt">When the token expires, as its validation has found; null if that is not known.</param>
internal sealed class CallerToken(byte[] bytes, DateTimeOffset? endsAt)
{
    public static CallerToken None { get; } = new([], endsAt: null);

    public ReadOnlyMemory<byte> Bytes => bytes;

    public DateTimeOffset? EndsAt => endsAt;

    /// <summary>A text for logs without the token.</summary>
    public override string ToString() => "CallerToken (redacted)";
}
