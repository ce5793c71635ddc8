using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <inheritdoc cref="LoadKind.NewConnections"/>
internal sealed class NewConnections(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
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
            Start();
        }
    }

    public override void Stop() => _isStopped = true;

    private void Start()
    {
        long now = Clock.Now;
        new ExchangeConnection(Loop, Connect(), _request, AnswerCheck.For(Plan), OnAnswered).Start(now);
    }

    private void OnAnswered(ExchangeConnection connection)
    {
        Recorder.Completed(connection.DueAt);
        connection.Close();
        if (_isStopped)
        {
            _outstanding--;
            return;
        }

        Start();
    }
}
