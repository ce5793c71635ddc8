using System.Net;
using System.Net.Sockets;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Roles.Origin;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.Bench.Tests;

/// <summary>The load in front of a server that is right, slow or wrong.</summary>
public sealed class LoadTests
{
    private const int MoreThanAnyMachine = 2_000_000_000;

    [LinuxFact]
    public async Task Right_answers_give_figures_beside_the_time_of_warm_up()
    {
        LoadResult result = await MeasureAsync(EventsOf(Numbers()), eventsPerSecond: 1);

        Assert.Null(result.Error);
        Assert.Null(result.TooSlow);
        Assert.True(result.Metrics[Metric.UnitsPerSecond] > 0);
        Assert.True(result.Metrics[Metric.WarmUpSeconds] > 0);
    }

    [LinuxFact]
    public async Task Events_that_come_too_slowly_are_no_error()
    {
        LoadResult result = await MeasureAsync(EventsOf(Numbers()), eventsPerSecond: MoreThanAnyMachine);

        Assert.Null(result.Error);
        Assert.Contains("events arrived in time", result.TooSlow, StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task An_event_that_is_missing_is_an_error()
    {
        LoadResult result = await MeasureAsync(EventsOf(Numbers().Where(number => number != 3)), eventsPerSecond: MoreThanAnyMachine);

        Assert.Contains("event 3 is missing", result.Error, StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task A_stream_that_is_cut_is_an_error()
    {
        LoadResult result = await MeasureAsync(EventsOf(Numbers().Take(2)), eventsPerSecond: MoreThanAnyMachine);

        Assert.Contains("was cut", result.Error, StringComparison.Ordinal);
    }

    private static IEnumerable<long> Numbers()
    {
        for (long number = 0; ; number++)
        {
            yield return number;
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> EventsOf(IEnumerable<long> numbers)
    {
        var text = new EventText(chunked: true);
        return numbers.Select(number => text.For(number, Clock.Now));
    }

    private static async Task<LoadResult> MeasureAsync(IEnumerable<ReadOnlyMemory<byte>> events, int eventsPerSecond)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var measured = new CancellationTokenSource();
        Task serving = ServeAsync(listener, events, measured.Token);
        LoadResult result = await Task.Run(() => LoadRole.Measure(new LoadPlan
        {
            Kind = LoadKind.Streams,
            Target = "/sse",
            Port = ((IPEndPoint)listener.LocalEndpoint).Port,
            Streams = 1,
            EventsPerSecond = eventsPerSecond,
            WarmUpSeconds = 0.1,
            MaxWarmUpSeconds = 0.1,
            Seconds = 3, // an error ends it sooner; right answers need but a moment of it
            OriginProcess = Environment.ProcessId,
        }));
        await measured.CancelAsync();
        await serving;
        return result;
    }

    // As fast as the client takes them, until it has been measured or there are none left.
    private static async Task ServeAsync(TcpListener listener, IEnumerable<ReadOnlyMemory<byte>> events, CancellationToken stopping)
    {
        try
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(stopping);
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(OriginAnswers.StreamHead(chunked: true), stopping);
            foreach (ReadOnlyMemory<byte> text in events)
            {
                await stream.WriteAsync(text, stopping);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The load has what it wanted.
        }
    }
}
