using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <inheritdoc cref="LoadKind.Streams"/>
internal sealed class OpenStreams(EventLoop loop, LoadPlan plan) : Workload(loop, plan)
{
    // Few enough never to overflow a listener's backlog, so that no connect has to be repeated after a second.
    private const int MaxOpening = 64;

    // Between two looks at what has been answered meanwhile.
    private const int OpenedInARow = 16;

    private const double MinShareOfEvents = 0.9;

    // Counted from the last stream that was answered.
    private const int LongestSilenceSeconds = 20;

    private readonly RequestTemplate _request = RequestTemplate.Get(plan, plan.Target);
    private readonly List<StreamConnection> _streams = [];
    private int _opened;
    private int _awaited;

    /// <summary>Streams that have had no event since <see cref="Stop"/>.</summary>
    public override int Outstanding => _awaited;

    public override void Open() => Open(Plan.Streams);

    /// <summary>Opens a number of streams, a few at a time, and returns when each has had its first event.</summary>
    public void Open(int count)
    {
        int all = _opened + count;
        int asked = _opened;
        for (long deadline = Deadline(); _opened < all;)
        {
            for (; asked < all && asked - _opened < MaxOpening; asked++)
            {
                Ask();
            }

            PollForAnswers(all, ref deadline);
        }
    }

    /// <summary>Asks for all streams, evenly over a time, whether or not the ones before are answered.</summary>
    /// <returns>How many seconds passed until each had had its first event.</returns>
    public double OpenAtOnce(double seconds)
    {
        long startedAt = Clock.Now;
        for (int asked = 0; asked < Plan.Streams;)
        {
            long due = (long)(Plan.Streams * (Clock.Now - startedAt) / Clock.FromSeconds(seconds));
            for (int i = 0; i < OpenedInARow && asked < Math.Min(due + 1, Plan.Streams); i++, asked++)
            {
                Ask();
            }

            Loop.Poll(Clock.Now);
        }

        for (long deadline = Deadline(); _opened < Plan.Streams;)
        {
            PollForAnswers(Plan.Streams, ref deadline);
        }

        return (Clock.Now - startedAt) / (double)Clock.Second;
    }

    /// <summary>Waits for one more event of each stream: a stream that has fallen silent is not only slow.</summary>
    public override void Stop()
    {
        _awaited = _streams.Count;
        _streams.ForEach(stream => stream.AwaitEvent(() => _awaited--));
    }

    public void Close()
    {
        _streams.ForEach(stream => stream.Close());
        _streams.Clear();
    }

    public override void CheckWindow(double seconds)
    {
        double expected = Plan.Streams * Plan.EventsPerSecond * seconds;
        if (Recorder.Units < MinShareOfEvents * expected)
        {
            throw new TooSlowException($"Only {Recorder.Units} of {expected:F0} events arrived in time; none is missing.");
        }
    }

    private static long Deadline() => Clock.Now + Clock.FromSeconds(LongestSilenceSeconds);

    private void Ask()
    {
        var stream = new StreamConnection(Loop, Connect(), Recorder, () => _opened++);
        stream.Start(_request);
        _streams.Add(stream);
    }

    private void PollForAnswers(int all, ref long deadline)
    {
        int opened = _opened;
        Loop.Poll(deadline);
        if (_opened != opened)
        {
            deadline = Deadline();
        }
        else if (Clock.Now > deadline)
        {
            throw new WrongAnswerException($"Only {_opened} of {all} streams were answered, none of them in the last {LongestSilenceSeconds} s.");
        }
    }
}
