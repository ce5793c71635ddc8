using System.Globalization;
using System.Text;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>One message as a peer of the proxy reads it.</summary>
/// <param name="StartLine">Request line or status line.</param>
/// <param name="Body">The decoded body, as far as it came.</param>
/// <param name="IsWhole">Its end was seen; false where the bytes, or the connection, ended before.</param>
internal sealed record WireMessage(string StartLine, byte[] Body, bool IsWhole)
{
    /// <summary>A message that was read strictly.</summary>
    public static WireMessage Of(StrictMessage message) => new(message.StartLine, Encoding.Latin1.GetBytes(message.Body), message.IsWhole);

    public string Method => StartLine.Split(' ')[0];

    /// <summary>The status of a response; 0 where what stands in its place is none.</summary>
    public int Status => int.TryParse(StartLine.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status) ? status : 0;

    public bool IsInterim => Status < 200;
}
