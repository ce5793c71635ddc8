using System.Collections.Concurrent;

namespace McpProxyFast.Soak;

/// <summary>What became of every request, as the clients, the upstream and the proxy saw it.</summary>
internal sealed class Ledger : IProxyObserver
{
    private readonly ConcurrentDictionary<string, long> _clients = new();
    private readonly ConcurrentDictionary<ExchangeEnd, long> _ends = new();
    private readonly ConcurrentDictionary<string, int> _seenByUpstream = new();
    private readonly ConcurrentQueue<string> _wrong = new();
    private long _started;
    private long _duplicated;

    /// <summary>Requests that clients began.</summary>
    public long Started => Volatile.Read(ref _started);

    /// <summary>Requests whose end a client saw: an answer, an error, or its own abort.</summary>
    public long Ended => _clients.Values.Sum();

    /// <summary>Exchanges that the proxy reported.</summary>
    public long Reported => _ends.Values.Sum();

    /// <summary>Requests that the upstream was given more than once.</summary>
    public long Duplicated => Volatile.Read(ref _duplicated);

    /// <summary>The first of what no client should ever see: a wrong or a cut answer that looked whole.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    public void OnExchangeEnded(in ExchangeReport report) => _ends.AddOrUpdate(report.End, 1, static (_, count) => count + 1);

    /// <summary>A client begins a request.</summary>
    /// <returns>Its number, which travels with it.</returns>
    public string Start() => Interlocked.Increment(ref _started).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public void End(string number, string how)
    {
        _clients.AddOrUpdate(how, 1, static (_, count) => count + 1);
        _seenByUpstream.TryRemove(number, out _); // so that the ledger itself does not grow with the time
    }

    public void Seen(string number)
    {
        if (_seenByUpstream.AddOrUpdate(number, 1, static (_, times) => times + 1) > 1)
        {
            Interlocked.Increment(ref _duplicated);
        }
    }

    public void AddWrong(string what)
    {
        const int most = 20;
        if (_wrong.Count < most)
        {
            _wrong.Enqueue(what);
        }
    }

    public void Print(TextWriter output)
    {
        output.WriteLine($"requests started {Started}, ended {Ended}, exchanges reported {Reported}, sent twice {Duplicated}");
        output.WriteLine("  clients: " + string.Join(", ", _clients.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}")));
        output.WriteLine("  proxy:   " + string.Join(", ", _ends.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}")));
    }
}
