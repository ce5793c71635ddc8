using System.Globalization;
using System.Text;

namespace McpProxyFast.Harness;

/// <summary>Reads messages off a stream as far as they make sense: with empty lines before them, with chunk extensions, with trailer sections.</summary>
/// <remarks>
/// For what a test's own peers have sent, and for load. What the proxy sends is judged by <see cref="StrictReader"/>. Shares nothing with the engine.
/// </remarks>
/// <param name="stream">Where the bytes come from.</param>
public sealed class LenientReader(Stream stream)
{
    /// <summary>What was received; unread from <see cref="_start"/> to <see cref="_end"/>.</summary>
    private readonly byte[] _buffer = new byte[16 * 1024];

    private int _start;
    private int _end;
    private long _received;

    /// <summary>How many bytes the messages so far had. Bytes behind them may have been received, and are not lost.</summary>
    public long Taken => _received - (_end - _start);

    /// <summary>Reads a head; null at an orderly end before its first line.</summary>
    /// <exception cref="IOException">The connection broke off.</exception>
    public async Task<LenientHead?> ReadHeadAsync()
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            if (line.Length > 0)
            {
                lines.Add(line);
            }
            else if (lines.Count > 0)
            {
                return new LenientHead([.. lines]);
            }
        }

        return lines.Count == 0 ? null : throw new EndOfStreamException("The stream ended within a head.");
    }

    /// <summary>Reads a body to the end that its head declares; without a declaration it is empty.</summary>
    /// <exception cref="IOException">The connection broke off before that.</exception>
    /// <exception cref="InvalidDataException">Its framing makes no sense.</exception>
    public async Task<byte[]> ReadBodyAsync(LenientHead head)
    {
        if (head.Field("Transfer-Encoding").Length > 0)
        {
            return await ReadChunksAsync();
        }

        string declared = head.Field("Content-Length");
        long length = 0;
        Require(declared.Length == 0 || long.TryParse(declared, NumberStyles.None, CultureInfo.InvariantCulture, out length), "a Content-Length", declared);
        using var body = new MemoryStream();
        await CopyAsync(length, body);
        return body.ToArray();
    }

    /// <summary>Reads the data of a chunked body, and takes its trailer section.</summary>
    /// <exception cref="IOException">The connection broke off before its end.</exception>
    /// <exception cref="InvalidDataException">The chunks make no sense.</exception>
    public async Task<byte[]> ReadChunksAsync()
    {
        using var body = new MemoryStream();
        while (true)
        {
            string line = await RequireLineAsync();
            string digits = line.Split(';')[0];
            long size = -1;
            bool isHex = digits.Length is > 0 and <= 16 && digits.All(char.IsAsciiHexDigit);
            Require(isHex && long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out size) && size >= 0, "a chunk size", line);
            if (size == 0)
            {
                await SkipTrailersAsync();
                return body.ToArray();
            }

            await CopyAsync(size, body);
            string end = await RequireLineAsync();
            Require(end.Length == 0, "CRLF behind a chunk", end);
        }
    }

    /// <summary>Reads a body that lasts until the stream ends.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using var body = new MemoryStream();
        while (await FillAsync())
        {
            Take(_end - _start, body);
        }

        return body.ToArray();
    }

    private async Task SkipTrailersAsync()
    {
        while (await RequireLineAsync() is { Length: > 0 } line)
        {
            Require(line.IndexOf(':', StringComparison.Ordinal) > 0, "a trailer", line);
        }
    }

    private async Task CopyAsync(long length, MemoryStream body)
    {
        while (length > 0)
        {
            if (!await FillAsync())
            {
                throw new EndOfStreamException($"The stream ended {length} bytes early.");
            }

            int taken = (int)Math.Min(length, _end - _start);
            Take(taken, body);
            length -= taken;
        }
    }

    private void Take(int length, MemoryStream body)
    {
        body.Write(_buffer, _start, length);
        _start += length;
    }

    private async Task<string> RequireLineAsync() => await ReadLineAsync() ?? throw new EndOfStreamException("The stream ended before a line.");

    /// <summary>Reads up to the next CRLF; null at the stream's end.</summary>
    private async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (await FillAsync())
        {
            while (_start < _end)
            {
                char next = (char)_buffer[_start++];
                if (next == '\n' && line.Length > 0 && line[^1] == '\r')
                {
                    return line.ToString(0, line.Length - 1);
                }

                line.Append(next);
            }
        }

        return line.Length == 0 ? null : throw new EndOfStreamException("The stream ended within a line.");
    }

    /// <summary>Receives where nothing is unread.</summary>
    /// <returns>False at the stream's end.</returns>
    private async ValueTask<bool> FillAsync()
    {
        if (_start == _end)
        {
            _start = 0;
            _end = await stream.ReadAsync(_buffer);
            _received += _end;
        }

        return _start < _end;
    }

    private static void Require(bool holds, string rule, string found)
    {
        if (!holds)
        {
            throw new InvalidDataException($"Expected {rule}, found: {found}");
        }
    }
}
