using System.Net.Sockets;
using System.Text.Json;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>The client of one bridge: starts it, puts one load after the other on it, and writes what was measured.</summary>
internal static class BridgeLoadRole
{
    /// <summary>Under this name stand the figures of the start and of the time without messages.</summary>
    public const string AtRest = "rest";

    /// <summary>Short, since the loads of one process follow each other and only the first finds it cold.</summary>
    private const double WindowSeconds = 1;

    public static int Run()
    {
        BridgeResult result = Measure(BridgePlan.Read(Console.In));
        Console.WriteLine(JsonSerializer.Serialize(result));
        return result.Error is null ? 0 : 1;
    }

    /// <summary>Carries out a plan; what goes wrong on the way is part of the result.</summary>
    public static BridgeResult Measure(BridgePlan plan)
    {
        var metrics = new Dictionary<string, Dictionary<string, double>>();
        try
        {
            using IMcpChannel channel = Start(plan, metrics[AtRest] = []);
            ProcessTree? bridge = ProcessTree.Find(channel.Process);
            foreach (string load in plan.Loads)
            {
                metrics[load] = Measure(McpLoad.For(load, channel), plan, bridge);
            }

            return new(metrics);
        }
        catch (Exception e) when (e is WrongAnswerException or SocketException or IOException)
        {
            return new(metrics, e.Message);
        }
    }

    /// <summary>Starts the bridge as often as the plan says, and leaves the last one alone for a while.</summary>
    private static IMcpChannel Start(BridgePlan plan, Dictionary<string, double> metrics)
    {
        var times = new List<double>();
        while (true)
        {
            (IMcpChannel channel, double time) = Start(plan);
            times.Add(time);
            if (times.Count < plan.Starts)
            {
                channel.Dispose();
                continue;
            }

            metrics[Metric.StartMilliseconds] = Spread.Of(times).Median;
            if (ProcessTree.Find(channel.Process) is { } tree)
            {
                metrics[Metric.ResidentAtStart] = tree.ResidentBytes();
                Thread.Sleep(TimeSpan.FromSeconds(plan.IdleSeconds));
                metrics[Metric.Resident] = tree.ResidentBytes();
            }

            return channel;
        }
    }

    /// <summary>Starts the bridge and shakes hands.</summary>
    /// <returns>It, and the milliseconds up to the server's answer.</returns>
    private static (IMcpChannel Channel, double Milliseconds) Start(BridgePlan plan)
    {
        long startedAt = Clock.Now;
        IMcpChannel channel = plan.Bridge is { } bridge ? new StdioChannel(bridge, plan.BridgeCores) : new DirectChannel(plan.OriginPort);
        try
        {
            channel.Send(McpMessages.Initialize.Span);
            bool isRight = channel.Receive().IndexOf("\"serverInfo\""u8) >= 0;
            double milliseconds = (Clock.Now - startedAt) / 1e6;
            channel.Send(McpMessages.Initialized.Span);
            return isRight ? (channel, milliseconds) : throw new WrongAnswerException("The answer to initialize is wrong.");
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    private static Dictionary<string, double> Measure(McpLoad load, BridgePlan plan, ProcessTree? bridge)
    {
        var metrics = new Dictionary<string, double>();
        load.Begin();
        Warm(load, plan, bridge).Report(metrics);

        var cpu = new CpuWatch(bridge, new ProcessTree(plan.OriginProcess));
        load.Recorder.StartWindow();
        Drive(load, plan.Seconds);
        double seconds = load.Recorder.EndWindow();
        cpu.Report(metrics, load.Recorder.Units);
        load.End();

        metrics[Metric.UnitsPerSecond] = load.Recorder.Units / seconds;
        load.Recorder.Latencies.Report(metrics);
        return metrics;
    }

    private static WarmUp Warm(McpLoad load, BridgePlan plan, ProcessTree? bridge)
    {
        var warmUp = new WarmUp(plan.WarmUpSeconds, plan.MaxWarmUpSeconds, WindowSeconds);
        while (!warmUp.IsOver)
        {
            CpuReading? before = bridge?.ReadCpu();
            long units = load.Recorder.Total;
            long startedAt = Clock.Now;
            Drive(load, warmUp.WindowSeconds);
            long used = Clock.Now - startedAt;
            double cost = before is null ? used : bridge!.ReadCpu().Since(before);
            warmUp.Add(used / (double)Clock.Second, cost / Math.Max(load.Recorder.Total - units, 1));
        }

        return warmUp;
    }

    private static void Drive(McpLoad load, double seconds)
    {
        long end = Clock.Now + Clock.FromSeconds(seconds);
        while (Clock.Now < end)
        {
            load.Step();
        }
    }
}
