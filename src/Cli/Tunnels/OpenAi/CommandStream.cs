using System.Text;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>
/// Reads the event stream that answers a command. If the stream breaks off, or the server closes it early to make the client poll, the rest is fetched with a
/// GET.
/// </summary>
/// <param name="proxy">The proxy, which sends requests to the MCP server.</param>
/// <param name="target">The URL of the MCP server.</param>
/// <param name="command">The command that the stream answers.</param>
/// <param name="hasResumption">Whether the protocol revision of the command's message allows the rest of a stream to be fetched.</param>
/// <param name="response">The response to the command. Its head has been received.</param>
/// <param name="budget">Bounds the memory that events take.</param>
/// <param name="clock">Measures the pauses.</param>
internal sealed class CommandStream(
    McpProxy proxy, Uri target, TunnelCommand command, bool hasResumption, McpResponse response, MemoryBudget budget, TimeProvider clock) : IDisposable
{
    private const string SessionField = "Mcp-Session-Id";
    private const string LastEventField = "Last-Event-ID";

    /// <summary>How long fetching the rest is tried again while the server cannot be reached. It equals the bridge's default.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The header fields of the command that are not copied to the GET. The GET has its own values for them, or does not have them.</summary>
    private static readonly string[] OfPost = ["Accept", "Content-Type", "Cache-Control", LastEventField];

    private readonly StreamResumption _rest = new(Patience, clock);

    /// <summary>The GET whose response is being read; null while the response to the command is being read.</summary>
    private McpExchange? _exchange;

    /// <summary>The stream that is being read.</summary>
    private EventStreamReader _events = new(response.Body, budget);

    /// <summary>Whether the stream that is being read has had an event with data.</summary>
    private bool _hasBrought;

    /// <summary>Returns the next event that has data.</summary>
    /// <returns>The event; null if the stream has ended and its rest cannot be fetched.</returns>
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

    /// <summary>Called when an event was not a valid message. It may have been the answer, so the rest is not fetched again and again.</summary>
    public void NoteBroken() => _rest.WasBroken = true;

    public void Dispose()
    {
        _events.Dispose();
        _exchange?.Dispose();
    }

    /// <returns>The next event; null if the stream that is being read has ended or was cut.</returns>
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

    /// <summary>Fetches what follows the last event. Tries again until a stream is opened, the server refuses, or <see cref="Patience"/> is over.</summary>
    /// <returns>Whether a stream was opened.</returns>
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

    /// <returns>The request and its response. The response is null if none has come; then the request may be null too.</returns>
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

    /// <summary>Returns the header fields of the GET: those of the command, and the id of the session that the first response has begun, if any.</summary>
    private (string Name, string Value)[] FieldsOfGet()
    {
        // The id is sent as UTF-8. Each of its bytes becomes one character here, since heads are written with one byte for each character.
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
