namespace McpProxyFast.Fuzz.Oracles;

/// <summary>One message as a peer of the proxy reads it.</summary>
/// <param name="StartLine">Request line or status line.</param>
/// <param name="Body">The decoded body, as far as it came.</param>
/// <param name="IsWhole">Its end was seen; false where the bytes, or the connection, ended before.</param>
internal sealed record WireMessage(string StartLine, byte[] Body, bool IsWhole)
{
    public string Method => StartLine.Split(' ')[0];

    public int Status => int.Parse(StartLine.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);

    public bool IsInterim => Status < 200;
}
