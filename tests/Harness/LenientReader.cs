using System.Globalization;
using System.Text;

namespace McpProxyFast.Harness;

/// <summary>Reads heads and bodies off a stream, one byte of lookahead never lost.</summary>
public sealed class LenientReader(Stream stream)
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>Reads a head; null at an orderly end before its first byte.</summary>
    /// <exception cref="IOException">The connection broke off.</exception>
    public async Task<LenientHead?> ReadHeadAsync()
    {
        var lines = new List<string>();
        while (true)
        {
            string? line = await ReadLineAsync();
            if (line is null && lines.Count == 0)
            {
                return null;
            }

            if (string.IsNullOrEmpty(line))
            {
                return line is null ? throw new EndOfStreamException() : new LenientHead([.. lines]);
            }

            lines.Add(line);
        }
    }

    /// <summary>Reads a body to the end that its head declares.</summary>
    /// <exception cref="IOException">The connection broke off before that.</exception>
    public async Task<byte[]> ReadBodyAsync(LenientHead head)
    {
        if (head.Field("Transfer-Encoding").Length == 0)
        {
            return await ReadExactlyAsync(int.TryParse(head.Field("Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out int length) ? length : 0);
        }

        var body = new List<byte>();
        while (true)
        {
            string size = await ReadLineAsync() ?? throw new EndOfStreamException();
            body.AddRange(await ReadExactlyAsync(int.Parse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)));
            await ReadLineAsync();
            if (size == "0")
            {
                return [.. body];
            }
        }
    }

    private async Task<byte[]> ReadExactlyAsync(int length)
    {
        byte[] bytes = new byte[length];
        int buffered = Math.Min(length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(bytes);
        _start += buffered;
        await stream.ReadExactlyAsync(bytes.AsMemory(buffered));
        return bytes;
    }

    private async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end)
            {
                _start = 0;
                _end = await stream.ReadAsync(_buffer);
                if (_end == 0)
                {
                    return line.Length == 0 ? null : throw new EndOfStreamException();
                }
            }

            char next = (char)_buffer[_start++];
            if (next == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append(next);
        }
    }
}
