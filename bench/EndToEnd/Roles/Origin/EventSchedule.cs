using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>When each stream's next event is due. Streams are spread over the interval, so that events come evenly.</summary>
internal sealed class EventSchedule
{
    // Successive multiples of the golden ratio fill an interval evenly, however many there will be.
    private const double GoldenRatio = 0.6180339887498949;

    private readonly PriorityQueue<Entry, long> _due = new();
    private readonly EventText _chunked = new(chunked: true);
    private readonly EventText _plain = new(chunked: false);
    private int _added;

    public long NextDue => _due.TryPeek(out _, out long due) ? due : long.MaxValue;

    public EventText TextOf(bool chunked) => chunked ? _chunked : _plain;

    public void Add(OriginConnection stream, long interval)
    {
        double phase = ++_added * GoldenRatio % 1;
        _due.Enqueue(new Entry(stream, interval), Clock.Now + interval + (long)(phase * interval));
    }

    public void RunDue(long now)
    {
        while (_due.TryPeek(out Entry entry, out long due) && due <= now)
        {
            if (!entry.Stream.IsOpen)
            {
                _due.Dequeue();
                continue;
            }

            entry.Stream.SendEvent();
            _due.DequeueEnqueue(entry, due + entry.Interval);
        }
    }

    private readonly record struct Entry(OriginConnection Stream, long Interval);
}
