using System.Net.Sockets;
using System.Text.Json;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>One measurement: reads a plan, puts load on the subject, writes what was measured.</summary>
internal static class LoadRole
{
    public static int Run()
    {
        LoadResult result = Measure(LoadPlan.Read(Console.In));
        Console.WriteLine(JsonSerializer.Serialize(result));
        return result.Error is null ? 0 : 1;
    }

    /// <summary>Carries out a plan; what goes wrong on the way is part of the result.</summary>
    public static LoadResult Measure(LoadPlan plan)
    {
        using var loop = new EventLoop();
        try
        {
            return new(plan.Kind switch
            {
                LoadKind.IdleStreams => StreamMemory.Measure(loop, plan),
                LoadKind.ColdStreams => ColdStreamMemory.Measure(loop, plan),
                _ => TimedRun.Measure(loop, plan),
            });
        }
        catch (TooSlowException e)
        {
            return new(new Dictionary<string, double>(), TooSlow: e.Message);
        }
        catch (Exception e) when (e is WrongAnswerException or SocketException or IOException)
        {
            return new(new Dictionary<string, double>(), e.Message);
        }
    }
}
