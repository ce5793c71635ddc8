using System.Buffers;
using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What the tests of channels send, and how they read it.</summary>
internal static class ChannelBytes
{
    /// <summary>More than any buffer, ring and pipe on the way holds, sockets' own included.</summary>
    public const int Much = 16 * 1024 * 1024;

    /// <summary>Reads to the end, over cancellations.</summary>
    public static async Task<(byte[] Bytes, bool IsWhole)> ReadToEndAsync(ConnectionReader reader)
    {
        var all = new MemoryStream();
        ReadResult read;
        do
        {
            read = await reader.ReadAsync().Soon();
            all.Write(read.Buffer.ToArray());
            reader.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        return (all.ToArray(), !reader.EndedByFault);
    }

    public static byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    public static string Text(ReadResult read) => Heads.Text(read.Buffer.ToArray());
}
