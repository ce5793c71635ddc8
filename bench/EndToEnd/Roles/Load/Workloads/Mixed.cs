using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <inheritdoc cref="LoadKind.Mixed"/>
internal sealed class Mixed(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
{
    private readonly OpenStreams _streams = new(loop, plan);
    private readonly FixedRate _calls = new(loop, plan);

    public override Recorder Recorder => _calls.Recorder;

    public override bool HasOneUnit => false;

    public override long NextDue => _calls.NextDue;

    public override int Outstanding => _calls.Outstanding + _streams.Outstanding;

    public override long Progress => _calls.Progress + _streams.Progress;

    public override void Open()
    {
        _streams.Open();
        _calls.Open();
    }

    // What is measured is the latency of the calls, which counts from when they were due: late events need no check of their own.
    public override void RunDue(long now) => _calls.RunDue(now);

    // The streams stay: closing thousands of them would delay the last answers.
    public override void Stop()
    {
        _calls.Stop();
        _streams.Stop();
    }
}
