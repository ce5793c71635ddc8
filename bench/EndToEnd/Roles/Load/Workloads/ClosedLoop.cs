using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <summary><see cref="LoadKind.ClosedLoop"/>, and with a new connection for each request <see cref="LoadKind.NewConnections"/>.</summary>
internal sealed class ClosedLoop(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
{
    private readonly RequestTemplate _request = RequestTemplate.For(plan);
    private bool _isStopped;
    private int _outstanding;

    public override int Outstanding => _outstanding;

    public override void Open()
    {
        for (; _outstanding < Plan.Connections; _outstanding++)
        {
            StartOnNewConnection();
        }
    }

    public override void Stop() => _isStopped = true;

    // The latency of a request on a new connection includes making the connection.
    private void StartOnNewConnection()
    {
        long dueAt = Clock.Now;
        new ExchangeConnection(Loop, Connect(), _request, AnswerCheck.For(Plan), OnAnswered).Start(dueAt);
    }

    private void OnAnswered(ExchangeConnection connection)
    {
        Recorder.Completed(connection.DueAt);
        bool isUsedUp = Plan.Kind is LoadKind.NewConnections;
        if (isUsedUp)
        {
            connection.Close();
        }

        if (_isStopped)
        {
            _outstanding--;
        }
        else if (isUsedUp)
        {
            StartOnNewConnection();
        }
        else
        {
            connection.Start(Clock.Now);
        }
    }
}
