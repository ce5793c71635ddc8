using McpProxyFast.EndToEnd.Measuring;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Says when a subject is warm: when its figure no longer falls.</summary>
/// <remarks>
/// A runtime compiles in tiers, caches fill, pools grow: what costs most at the start costs less from second to second. After a fixed time of warm-up a subject
/// that needs longer would be measured at its start and the others at their best. A figure that rises is the machine's doing (it has a slow and a fast state),
/// and waiting for that to stop would only make the run longer.
/// </remarks>
internal sealed class WarmUp
{
    /// <summary>By how much the figure may be lower than in the window before last and still count as not falling.</summary>
    public const double Tolerance = 0.03;

    /// <summary>How many successive windows have to agree: a first one, and two that are not cheaper.</summary>
    public const int Windows = 3;

    /// <summary>Warm-up lasts at least as long, even where the figure never falls.</summary>
    public const double MinSeconds = 6;

    /// <summary>After this time it is measured whether warm or not, and that is said beside its figure.</summary>
    public const double MaxSeconds = 30;

    private const double WindowLength = 2;

    private readonly double _minSeconds;
    private readonly double _maxSeconds;
    private readonly double _windowSeconds;
    private readonly Queue<double> _last = new();

    public WarmUp(double minSeconds, double maxSeconds, double windowSeconds = WindowLength)
    {
        _minSeconds = minSeconds;
        _maxSeconds = maxSeconds;
        _windowSeconds = windowSeconds;
    }

    /// <summary>The length of the next window.</summary>
    public double WindowSeconds => Math.Clamp(_maxSeconds - Seconds, 0, _windowSeconds);

    /// <summary>How long it has lasted.</summary>
    public double Seconds { get; private set; }

    /// <summary>Whether the figure has not fallen over the last windows.</summary>
    public bool IsWarm => _last.Count == Windows && _last.Skip(1).Min() >= _last.Peek() * (1 - Tolerance);

    public bool IsOver => Seconds >= _maxSeconds || (IsWarm && Seconds >= _minSeconds);

    /// <summary>Takes what a unit cost in one more window.</summary>
    public void Add(double seconds, double figure)
    {
        Seconds += seconds;
        _last.Enqueue(figure);
        if (_last.Count > Windows)
        {
            _last.Dequeue();
        }
    }

    /// <summary>Puts beside the figures how long the warm-up was, and whether it ended because the subject was warm.</summary>
    public void Report(IDictionary<string, double> metrics)
    {
        metrics[Metric.WarmUpSeconds] = Seconds;
        metrics[Metric.IsWarm] = IsWarm ? 1 : 0;
    }
}
