using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <inheritdoc cref="LoadKind.ClosedLoop"/>
internal sealed class ClosedLoop(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
{
    private readonly RequestTemplate _request = RequestTemplate.For(plan);
    private bool _isStopped;
    private int _outstanding;

    public override int Outstanding => _outstanding;

    public override void Open()
    {
        for (int i = 0; i < Plan.Connections; i++)
        {
            _outstanding++;
            new ExchangeConnection(Loop, Connect(), _request, AnswerCheck.For(Plan), OnAnswered).Start(Clock.Now);
        }
    }

    public override void Stop() => _isStopped = true;

    private void OnAnswered(ExchangeConnection connection)
    {
        Recorder.Completed(connection.DueAt);
        if (_isStopped)
        {
            _outstanding--;
            return;
        }

        connection.Start(Clock.Now);
    }
}
