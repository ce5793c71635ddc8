using System.Globalization;
using McpProxyFast.EndToEnd.Roles.Origin;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeOrigin;

/// <summary>The MCP server behind a bridge: one thread, short answers, nothing that could be the bottleneck.</summary>
internal static class BridgeOriginRole
{
    public const string Ready = "bridge origin ready";

    public static int Run(string port)
    {
        Serve(int.Parse(port, CultureInfo.InvariantCulture), () => Console.WriteLine(Ready), CancellationToken.None);
        return 0;
    }

    /// <summary>Serves on this thread until told to stop.</summary>
    public static void Serve(int port, Action listening, CancellationToken stopping)
    {
        using var loop = new EventLoop();
        var schedule = new NotificationSchedule();
        var answers = new BridgeAnswers();
        using Acceptor acceptor = Acceptor.Listen(loop, port, socket => _ = new BridgeOriginConnection(loop, socket, answers, schedule));
        listening();
        while (!stopping.IsCancellationRequested)
        {
            loop.Poll(schedule.NextDue);
            schedule.RunDue(Clock.Now);
        }
    }
}
