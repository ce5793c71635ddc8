using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <inheritdoc cref="LoadKind.Streams"/>
internal sealed class OpenStreams(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
{
    // Few enough never to overflow a listener's backlog, so that no connect has to be repeated after a second.
    private const int MaxOpening = 64;

    private const double LeastShareOfEvents = 0.9;
    private const int OpenTimeoutSeconds = 60;

    private readonly RequestTemplate _request = RequestTemplate.Get(plan, plan.Target);
    private readonly List<StreamConnection> _streams = [];
    private int _opened;

    public override void Open() => Open(Plan.Streams);

    /// <summary>Opens a number of streams and returns when each has had its first event.</summary>
    public void Open(int count)
    {
        int all = _opened + count;
        long deadline = Clock.Now + Clock.FromSeconds(OpenTimeoutSeconds);
        int asked = _opened;
        while (_opened < all)
        {
            for (; asked < all && asked - _opened < MaxOpening; asked++)
            {
                var stream = new StreamConnection(Loop, Connect(), Recorder, () => _opened++);
                stream.Start(_request);
                _streams.Add(stream);
            }

            Loop.Poll(deadline);
            if (Clock.Now > deadline)
            {
                throw new WrongAnswerException($"Only {_opened} of {all} streams were answered within {OpenTimeoutSeconds} s.");
            }
        }
    }

    public override void Stop()
    {
        _streams.ForEach(stream => stream.Close());
        _streams.Clear();
    }

    public override void CheckWindow(double seconds)
    {
        double expected = Plan.Streams * Plan.EventsPerSecond * seconds;
        if (Recorder.Units < LeastShareOfEvents * expected)
        {
            throw new WrongAnswerException($"Only {Recorder.Units} of {expected:F0} events arrived in time.");
        }
    }
}
