using System.Text;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Reads the stream of events that answers a command. If it breaks off, or the server ends it to be asked again, the rest is fetched.</summary>
/// <param name="proxy">The way to the MCP server.</param>
/// <param name="target">The MCP server.</param>
/// <param name="command">The command.</param>
/// <param name="hasResumption">Whether the revision of its message lets the rest be fetched.</param>
/// <param name="response">The response, whose head has come.</param>
/// <param name="budget">Bounds what is held of events.</param>
/// <param name="clock">Measures the pauses.</param>
internal sealed class CommandStream(
    McpProxy proxy, Uri target, TunnelCommand command, bool hasResumption, McpResponse response, MemoryBudget budget, TimeProvider clock) : IDisposable
{
    private const string SessionField = "Mcp-Session-Id";
    private const string LastEventField = "Last-Event-ID";

    /// <summary>How long the rest is asked for while the server is gone; the bridge's default.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Fields of the POST that the GET has with other values, or not at all.</summary>
    private static readonly string[] OfPost = ["Accept", "Content-Type", "Cache-Control", LastEventField];

    private readonly StreamResumption _rest = new(Patience, clock);

    /// <summary>The request for the rest that is read now; null while the response to the command is read.</summary>
    private McpExchange? _exchange;

    /// <summary>The stream that is read now.</summary>
    private EventStreamReader _events = new(response.Body, budget);

    /// <summary>An event with data has come on it.</summary>
    private bool _hasBrought;

    /// <summary>The next event that has data.</summary>
    /// <returns>Null if nothing more can be had.</returns>
    public async ValueTask<ServerEvent?> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (await ReadOnAsync(cancel) is { } next)
            {
                _hasBrought = true;
                return next;
            }

            _rest.NoteEnd(_events, _hasBrought);
            if (!hasResumption || !await ResumeAsync(cancel))
            {
                return null;
            }
        }
    }

    /// <summary>Notes that an event was no message: it may have been the answer, which then is not asked for again and again.</summary>
    public void NoteBroken() => _rest.WasBroken = true;

    public void Dispose()
    {
        _events.Dispose();
        _exchange?.Dispose();
    }

    /// <returns>Null at the end of the stream that is read now, and where it was cut.</returns>
    private async ValueTask<ServerEvent?> ReadOnAsync(CancellationToken cancel)
    {
        try
        {
            return await _events.ReadAsync(cancel);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Asks for what follows the last event, until it comes or cannot be had.</summary>
    private async Task<bool> ResumeAsync(CancellationToken cancel)
    {
        while (_rest.IsPossible)
        {
            await _rest.PauseAsync(cancel);
            (McpExchange? exchange, McpResponse? rest) = await GetAsync(cancel);
            if (rest is { IsEventStream: true, Status: >= 200 and < 300 })
            {
                _rest.NoteOpened();
                Replace(exchange, rest);
                return true;
            }

            exchange?.Dispose();
            if (!await _rest.MayTryAgainAsync(rest?.Status, cancel))
            {
                return false;
            }
        }

        return false;
    }

    /// <returns>The request and its response, both null if the exchange was cut before a response had begun.</returns>
    private async Task<(McpExchange? Exchange, McpResponse? Response)> GetAsync(CancellationToken cancel)
    {
        McpExchange? exchange = null;
        try
        {
            exchange = await McpExchange.SendAsync(proxy, target, "GET", FieldsOfGet(), default, cancel);
            return (exchange, exchange is null ? null : await exchange.ResponseAsync(cancel));
        }
        catch (IOException)
        {
            exchange?.Dispose();
            return (null, null);
        }
        catch
        {
            exchange?.Dispose();
            throw;
        }
    }

    /// <summary>The fields of the command, with the session that its response may have begun.</summary>
    private (string Name, string Value)[] FieldsOfGet()
    {
        // Written as UTF-8, though a head is written byte by byte.
        string lastId = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(_rest.LastId!));
        (string Name, string Value)[] theirs = [.. command.Headers!.Where(field => !Has(OfPost, field.Name))];
        bool isInSession = theirs.Any(field => Has([SessionField], field.Name));
        IReadOnlyList<string> begun = response.Values(SessionField);
        return
        [
            .. theirs,
            ("Accept", "text/event-stream"), ("Cache-Control", "no-store"), (LastEventField, lastId),
            .. !isInSession && begun.Count == 1 ? [(SessionField, begun[0])] : Array.Empty<(string Name, string Value)>(),
        ];
    }

    private static bool Has(string[] names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private void Replace(McpExchange? exchange, McpResponse rest)
    {
        Dispose();
        (_exchange, _events, _hasBrought) = (exchange, new EventStreamReader(rest.Body, budget), false);
    }
}
