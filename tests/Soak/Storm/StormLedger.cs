using System.Collections.Concurrent;

namespace McpProxyFast.Soak.Storm;

/// <summary>What became of the requests of a storm, and what should not have.</summary>
internal sealed class StormLedger
{
    private const int MaxWrong = 20;
    private readonly ConcurrentDictionary<string, long> _ends = new();
    private readonly ConcurrentQueue<string> _wrong = new();
    private long _numbers;

    /// <summary>The first of what must never be.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    /// <summary>Whole answers that were a request's own.</summary>
    public long Answered => _ends.Where(end => end.Key.StartsWith('2')).Sum(end => end.Value);

    /// <summary>A number that no other request has.</summary>
    public string NextNumber() => Interlocked.Increment(ref _numbers).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);

    public void End(string how) => _ends.AddOrUpdate(how, 1, static (_, count) => count + 1);

    public void AddWrong(string what)
    {
        if (_wrong.Count < MaxWrong)
        {
            _wrong.Enqueue(what);
        }
    }

    public override string ToString() => string.Join(", ", _ends.OrderBy(end => end.Key, StringComparer.Ordinal).Select(end => $"{end.Key} {end.Value}"));
}
