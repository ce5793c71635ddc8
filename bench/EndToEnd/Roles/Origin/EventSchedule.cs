using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>When each stream's next event is due. Streams are spread over the interval, so that events come evenly, or are all due at once.</summary>
internal sealed class EventSchedule
{
    // Successive multiples of the golden ratio fill an interval evenly, however many there will be.
    private const double GoldenRatio = 0.6180339887498949;

    // Then the loop looks at its sockets: events that are all due at once must not keep it from answering calls.
    private const int MaxInARow = 16;

    private readonly PriorityQueue<Entry, long> _due = new();
    private readonly EventText _chunked = new(chunked: true);
    private readonly EventText _plain = new(chunked: false);
    private int _added;

    public long NextDue => _due.TryPeek(out _, out long due) ? due : long.MaxValue;

    public EventText TextOf(bool chunked) => chunked ? _chunked : _plain;

    public void Add(OriginConnection stream, long interval, bool together)
    {
        double phase = ++_added * GoldenRatio % 1;
        long first = together ? (Clock.Now / interval + 1) * interval : Clock.Now + (long)(phase * interval);
        _due.Enqueue(new Entry(stream, interval), first + interval);
    }

    public void RunDue(long now)
    {
        for (int i = 0; i < MaxInARow && _due.TryPeek(out Entry entry, out long due) && due <= now; i++)
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
