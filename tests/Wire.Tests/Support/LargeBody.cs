using System.Text;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>A body of 64 MiB whose every byte depends on its place, sent and checked piece by piece.</summary>
internal static class LargeBody
{
    public const int Bytes = 64 * 1024 * 1024;
    private const int Piece = 64 * 1024;
    private const int Period = 251; // a prime: a lost, moved or repeated piece does not fit

    /// <summary>Bytes on the wire, with chunk lines and the last chunk where it has any.</summary>
    public static long WireBytes(bool chunked) => chunked ? Bytes + (Bytes / Piece * $"{Piece:x}\r\n\r\n".Length) + "0\r\n\r\n".Length : Bytes;

    public static async Task SendAsync(RawPeer peer, bool chunked, Action<int>? sent = null)
    {
        byte[] piece = new byte[Piece];
        for (int start = 0; start < Bytes; start += Piece)
        {
            Fill(piece, start);
            await peer.SendAsync(chunked ? [.. Encoding.ASCII.GetBytes($"{Piece:x}\r\n"), .. piece, .. "\r\n"u8] : piece);
            sent?.Invoke(Piece);
        }

        if (chunked)
        {
            await peer.SendAsync("0\r\n\r\n");
        }
    }

    /// <summary>Reads the body to its end and compares it.</summary>
    public static async Task ExpectAsync(RawPeer peer, bool chunked)
    {
        byte[] expected = new byte[Piece];
        byte[] received = new byte[Piece];
        for (int start = 0; start < Bytes; start += Piece)
        {
            Fill(expected, start);
            if (chunked)
            {
                Assert.Equal($"{Piece:x}\r\n", await ReadTextAsync(peer, 7));
            }

            await peer.ReadExactlyAsync(received);
            Assert.True(received.AsSpan().SequenceEqual(expected), $"The piece at {start} differs.");
            if (chunked)
            {
                Assert.Equal("\r\n", await ReadTextAsync(peer, 2));
            }
        }

        if (chunked)
        {
            Assert.Equal("0\r\n\r\n", await ReadTextAsync(peer, 5));
        }
    }

    private static async Task<string> ReadTextAsync(RawPeer peer, int length)
    {
        byte[] bytes = new byte[length];
        await peer.ReadExactlyAsync(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    private static void Fill(byte[] piece, int start)
    {
        for (int i = 0; i < piece.Length; i++)
        {
            piece[i] = (byte)((start + i) % Period);
        }
    }
}
