using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Reads a response of the proxy in this process. The proxy only sends valid HTTP/1.1, so this is a simple parser.</summary>
internal sealed class McpResponse
{
    /// <summary>Larger than any head that the proxy accepts.</summary>
    private const int MaxHeadBytes = 128 * 1024;

    private readonly MemoryConnection _connection;
    private readonly PipeReader _input;
    private readonly List<(string Name, string Value)> _fields = [];

    /// <summary>Remaining bytes of the body or of the current chunk. Null if the body ends with the connection.</summary>
    private long? _left;

    /// <summary>The body is chunked.</summary>
    private bool _isChunked;

    /// <summary>The whole body has been read.</summary>
    private bool _isOver;

    private McpResponse(MemoryConnection connection) => (_connection, _input) = (connection, connection.Client.Input);

    /// <summary>The HTTP status.</summary>
    public int Status { get; private set; }

    /// <summary>Whether the body is a stream of events.</summary>
    public bool IsEventStream => MediaType.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase);

    private string MediaType => Values("Content-Type").FirstOrDefault("").Split(';')[0].Trim();

    /// <summary>Reads the head of the final response.</summary>
    /// <returns>Null if the connection ends before it.</returns>
    public static async Task<McpResponse?> ReadAsync(MemoryConnection connection, CancellationToken cancel)
    {
        while (true)
        {
            var response = new McpResponse(connection);
            if (!await response.ReadHeadAsync(cancel))
            {
                return null;
            }

            if (response.Status >= 200)
            {
                return response;
            }
        }
    }

    /// <summary>The values of a field, one for each field line.</summary>
    public IEnumerable<string> Values(string name) =>
        _fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value);

    /// <summary>Reads the next piece of the body.</summary>
    /// <param name="room">The buffer to fill.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>Bytes read; 0 at the end of the body.</returns>
    /// <exception cref="IOException">The body was cut.</exception>
    public async ValueTask<int> ReadBodyAsync(Memory<byte> room, CancellationToken cancel)
    {
        if (_isChunked && _left == 0 && !_isOver)
        {
            await NextChunkAsync(cancel);
        }

        if (_isOver || _left == 0)
        {
            return 0;
        }

        ReadResult read = await _input.ReadAsync(cancel);
        long length = Math.Min(Math.Min(room.Length, read.Buffer.Length), _left ?? long.MaxValue);
        if (length == 0)
        {
            _isOver = _left is null && !_connection.IsCut ? true : throw new IOException("the body was cut");
            return 0;
        }

        ReadOnlySequence<byte> taken = read.Buffer.Slice(0, length);
        taken.CopyTo(room.Span);
        _input.AdvanceTo(taken.End);
        _left -= length;
        if (_isChunked && _left == 0)
        {
            await LineAsync(cancel); // the end of the chunk
        }

        return (int)length;
    }

    /// <summary>Reads the whole body.</summary>
    /// <returns>Null if it is larger.</returns>
    /// <exception cref="IOException">The body was cut.</exception>
    public async Task<ReadOnlyMemory<byte>?> ReadBodyAsync(int most, CancellationToken cancel)
    {
        var body = new ArrayBufferWriter<byte>(4_096);
        while (await ReadBodyAsync(body.GetMemory(4_096), cancel) is > 0 and var count)
        {
            if (body.WrittenCount + count > most)
            {
                return null;
            }

            body.Advance(count);
        }

        return body.WrittenMemory;
    }

    private async Task<bool> ReadHeadAsync(CancellationToken cancel)
    {
        string? start = await LineAsync(cancel);
        if (start is null || start.Length < 12 || !int.TryParse(start.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status))
        {
            return false;
        }

        Status = status;
        while (await LineAsync(cancel) is { Length: > 0 } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            _fields.Add((line[..Math.Max(0, colon)], line[(colon + 1)..].Trim()));
        }

        _isChunked = Values("Transfer-Encoding").Any();
        _isOver = status is 204 or 304 or < 200;
        _left = _isChunked ? 0
            : Values("Content-Length").FirstOrDefault() is { } length ? long.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture)
            : null;
        return true;
    }

    private async Task NextChunkAsync(CancellationToken cancel)
    {
        string line = await LineAsync(cancel) ?? throw new IOException("the body was cut");
        _left = long.Parse(line.Split(';')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (_left > 0)
        {
            return;
        }

        while (await LineAsync(cancel) is { Length: > 0 })
        {
            // A trailer.
        }

        _isOver = true;
    }

    /// <summary>Reads a line without its line end. Null if the connection ends before it.</summary>
    private async ValueTask<string?> LineAsync(CancellationToken cancel)
    {
        while (true)
        {
            ReadResult read = await _input.ReadAsync(cancel);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                string line = Encoding.Latin1.GetString(read.Buffer.Slice(0, end)).TrimEnd('\r');
                _input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }

            if (read.IsCompleted || read.Buffer.Length > MaxHeadBytes)
            {
                return null;
            }

            _input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
