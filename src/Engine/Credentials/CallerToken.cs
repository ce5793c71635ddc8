namespace McpProxyFast.Credentials;

/// <summary>The token that a caller sent, as received.</summary>
/// <param name="bytes">An RFC 6750 <c>b64token</c>; empty if the caller sent none.</param>
internal sealed class CallerToken(byte[] bytes)
{
    public static CallerToken None { get; } = new([]);

    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Says that there is a token, never which.</summary>
    public override string ToString() => "CallerToken (redacted)";
}
