using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <inheritdoc cref="LoadKind.FixedRate"/>
/// <remarks>
/// A request that finds all connections busy waits for one, and its latency counts from when it was due:
/// a subject that stalls for 100 ms shows that in every request of these 100 ms, not in one per connection.
/// </remarks>
internal sealed class FixedRate(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
{
    private readonly RequestTemplate _request = RequestTemplate.Call(plan, "/mcp");
    private readonly long _interval = Clock.Second / plan.RequestsPerSecond;
    private readonly Stack<ExchangeConnection> _free = new();
    private readonly Queue<long> _waiting = new();
    private long _nextDue = long.MaxValue;
    private int _outstanding;

    public override Recorder Recorder { get; } = new(countsLateAnswers: true);

    public override long NextDue => _nextDue;

    public override int Outstanding => _outstanding;

    public override void Open()
    {
        for (int i = 0; i < Plan.Connections; i++)
        {
            _free.Push(new ExchangeConnection(Loop, Connect(), _request, AnswerCheck.For(Plan), OnAnswered));
        }

        _nextDue = Clock.Now + _interval;
    }

    public override void RunDue(long now)
    {
        for (; _nextDue <= now; _nextDue += _interval)
        {
            _outstanding++;
            if (_free.TryPop(out ExchangeConnection? connection))
            {
                connection.Start(_nextDue);
            }
            else
            {
                _waiting.Enqueue(_nextDue);
            }
        }
    }

    public override void Stop() => _nextDue = long.MaxValue;

    private void OnAnswered(ExchangeConnection connection)
    {
        _outstanding--;
        Recorder.Completed(connection.DueAt);
        if (_waiting.TryDequeue(out long due))
        {
            connection.Start(due);
        }
        else
        {
            _free.Push(connection);
        }
    }
}
