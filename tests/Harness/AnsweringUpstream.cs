using System.Collections.Concurrent;

namespace McpProxyFast.Harness;

/// <summary>An upstream that reads strictly and answers each request as a function says, on as many connections as come.</summary>
public sealed class AnsweringUpstream
{
    private readonly IPeerSource _source;
    private readonly Func<StrictMessage, string> _answer;
    private readonly ConcurrentQueue<string> _leftOver = new();

    private AnsweringUpstream(IPeerSource source, Func<StrictMessage, string> answer)
    {
        _source = source;
        _answer = answer;
    }

    /// <summary>The complete requests, in order of arrival.</summary>
    public ConcurrentQueue<StrictMessage> Requests { get; } = new();

    /// <summary>What arrived and broke the plain form.</summary>
    public ConcurrentQueue<Exception> Violations { get; } = new();

    /// <summary>The starts of requests that never became whole.</summary>
    public IReadOnlyCollection<string> Unfinished => _leftOver;

    /// <summary>Answers 200 with a short body.</summary>
    public static AnsweringUpstream Ok(IPeerSource source) => Start(source, _ => Messages.Ok);

    public static AnsweringUpstream Start(IPeerSource source, Func<StrictMessage, string> answer)
    {
        var upstream = new AnsweringUpstream(source, answer);
        _ = upstream.AcceptAsync();
        return upstream;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            RawPeer connection;
            try
            {
                connection = await _source.AcceptAsync();
            }
            catch (Exception over) when (over is TimeoutException or System.Threading.Channels.ChannelClosedException)
            {
                return; // the test is over
            }

            _ = ServeAsync(connection);
        }
    }

    private async Task ServeAsync(RawPeer connection)
    {
        try
        {
            while (true)
            {
                StrictMessage request = await connection.ReadRequestAsync();
                Requests.Enqueue(request);
                string response = _answer(request);
                bool toHead = request.StartLine.StartsWith("HEAD ", StringComparison.Ordinal);
                await connection.TrySendAsync(toHead ? response[..(response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)] : response);
            }
        }
        catch (InvalidDataException) when (connection.Ended || connection.WasReset)
        {
            if (connection.Unread.Length > 0)
            {
                _leftOver.Enqueue(connection.Unread);
            }
        }
        catch (Exception violation) when (violation is InvalidDataException or TimeoutException)
        {
            Violations.Enqueue(violation);
        }
    }
}
