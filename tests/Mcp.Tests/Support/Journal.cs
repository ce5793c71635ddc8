using System.Threading.Channels;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>What the server saw, in order; a test awaits an entry instead of sleeping.</summary>
public sealed class Journal
{
    private readonly Channel<string> _entries = Channel.CreateUnbounded<string>();
    private readonly List<string> _read = [];

    public void Add(string entry) => _entries.Writer.TryWrite(entry);

    /// <summary>The first entry that starts with <paramref name="prefix"/>, as soon as there is one. For one reader.</summary>
    public async Task<string> SeenAsync(string prefix)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        try
        {
            while (true)
            {
                if (_read.Find(entry => entry.StartsWith(prefix, StringComparison.Ordinal)) is { } found)
                {
                    return found;
                }

                _read.Add(await _entries.Reader.ReadAsync(patience.Token));
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The server did not see '{prefix}', but: {string.Join(" | ", _read)}");
        }
    }
}
