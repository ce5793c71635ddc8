using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>The upstream of the benchmark: one thread, ready-made answers, nothing that could be the bottleneck.</summary>
internal static class OriginRole
{
    public const string Ready = "origin ready";

    public static int Run()
    {
        OriginPlan plan = OriginPlan.Read(Console.In);
        using var loop = new EventLoop();
        var schedule = new EventSchedule();
        var answers = new OriginAnswers(plan);
        using Acceptor acceptor = Acceptor.Listen(loop, plan.Port, socket => _ = new OriginConnection(loop, socket, answers, schedule));
        TlsOrigin.Start(plan);

        Console.WriteLine(Ready);
        while (true)
        {
            loop.Poll(schedule.NextDue);
            schedule.RunDue(Clock.Now);
        }
    }
}
