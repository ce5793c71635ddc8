using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load;

namespace McpProxyFast.Bench.Tests;

public sealed class WarmUpTests
{
    private const double Window = 2;

    [Fact]
    public void Ends_when_the_figure_has_not_fallen_over_two_windows()
    {
        WarmUp warmUp = After(least: 0, 100, 100, 101);

        Assert.True(warmUp.IsOver);
        Assert.True(warmUp.IsWarm);
    }

    [Fact]
    public void Goes_on_while_the_figure_falls() => Assert.False(After(least: 0, 100, 80, 70, 65).IsOver);

    [Fact]
    public void A_figure_that_rises_is_the_machine_and_not_the_subject() => Assert.True(After(least: 0, 100, 115, 104).IsWarm);

    [Fact]
    public void A_figure_that_slides_slowly_still_falls() => Assert.False(After(least: 0, 100, 98, 96, 94, 92).IsOver);

    [Fact]
    public void Begins_anew_when_the_figure_falls_later() => Assert.False(After(least: 100, 100, 100, 100, 60).IsWarm);

    [Fact]
    public void Lasts_at_least_its_time() => Assert.False(After(least: 7, 100, 100, 100).IsOver);

    [Fact]
    public void Ends_at_the_latest_after_its_time_and_says_that_the_subject_is_not_warm()
    {
        WarmUp warmUp = After(least: 0, [.. Enumerable.Range(0, 15).Select(window => 1000.0 - (window * 50))]);
        var metrics = new Dictionary<string, double>();
        warmUp.Report(metrics);

        Assert.True(warmUp.IsOver);
        Assert.Equal(0, metrics[Metric.IsWarm]);
        Assert.Equal(WarmUp.MaxSeconds, metrics[Metric.WarmUpSeconds]);
    }

    [Fact]
    public void The_last_window_ends_with_the_time() => Assert.Equal(1, After(least: 0, most: 5, [100, 50]).WindowSeconds);

    private static WarmUp After(double least, params double[] figures) => After(least, WarmUp.MaxSeconds, figures);

    private static WarmUp After(double least, double most, double[] figures)
    {
        var warmUp = new WarmUp(least, most);
        foreach (double figure in figures)
        {
            warmUp.Add(Window, figure);
        }

        return warmUp;
    }
}
