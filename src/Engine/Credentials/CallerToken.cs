namespace McpProxyFast.Credentials;

/// <summary>The token with which a caller came, as it was received.</summary>
/// <param name="bytes">An RFC 6750 <c>b64token</c>; empty where the caller brought none.</param>
internal sealed class CallerToken(byte[] bytes)
{
    public static CallerToken None { get; } = new([]);

    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Says that there is a token, never which.</summary>
    public override string ToString() => "CallerToken (redacted)";
}
