namespace McpProxyFast.Credentials;

/// <summary>The token that a caller sent, as received.</summary>
/// <param name="bytes">An RFC 6750 <c>b64token</c>; empty if the caller sent none.</param>
/// <param name="endsAt">When it ends, according to its check; null if the check did not say.</param>
internal sealed class CallerToken(byte[] bytes, DateTimeOffset? endsAt)
{
    public static CallerToken None { get; } = new([], endsAt: null);

    public ReadOnlyMemory<byte> Bytes => bytes;

    public DateTimeOffset? EndsAt => endsAt;

    /// <summary>Says that there is a token, never which.</summary>
    public override string ToString() => "CallerToken (redacted)";
}
