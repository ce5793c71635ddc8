using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>What one proxy's counters say, by instrument and tags: <c>mcpproxyfast.faults reason=client-gone side=client</c>.</summary>
internal sealed class Counts : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _counts = new();
    private readonly MeterListener _listener = new();
    private int _open;

    public Counts(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, measurement, tags, _) => _counts.AddOrUpdate(KeyOf(instrument, tags), measurement, (_, sum) => sum + measurement));
        _listener.SetMeasurementEventCallback<int>((_, measurement, _, _) => Volatile.Write(ref _open, measurement)); // the only one of this type
        _listener.Start();
    }

    /// <summary>How many client connections are open now.</summary>
    public int Open
    {
        get
        {
            _listener.RecordObservableInstruments();
            return Volatile.Read(ref _open);
        }
    }

    /// <summary>Every count, sorted, but for the exchanges that were answered: set-ups have some.</summary>
    public string[] Failures => [.. _counts.Where(count => count.Key != "mcpproxyfast.exchanges end=answered").Select(count => $"{count.Key}: {count.Value}").Order(StringComparer.Ordinal)];

    public long Of(string key) => _counts.GetValueOrDefault(key);

    public void Dispose() => _listener.Dispose();

    private static string KeyOf(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string key = instrument.Name;
        foreach ((string name, object? value) in tags)
        {
            key += $" {name}={value}";
        }

        return key;
    }
}
