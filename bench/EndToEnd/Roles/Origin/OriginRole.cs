using System.Net;
using System.Net.Sockets;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>The upstream of the benchmark: one thread, ready-made answers, nothing that could be the bottleneck.</summary>
internal static class OriginRole
{
    public const string Ready = "origin ready";

    private const int Backlog = 4096;

    public static int Run()
    {
        OriginPlan plan = OriginPlan.Read(Console.In);
        using var loop = new EventLoop();
        var schedule = new EventSchedule();
        var answers = new OriginAnswers(plan);
        using Socket listener = Listen(plan.Port);
        loop.Add(listener, new Acceptor(listener, socket => _ = new OriginConnection(loop, socket, answers, schedule)));
        TlsOrigin.Start(plan);

        Console.WriteLine(Ready);
        while (true)
        {
            loop.Poll(schedule.NextDue);
            schedule.RunDue(Clock.Now);
        }
    }

    private static Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(Backlog);
        return listener;
    }

    private sealed class Acceptor(Socket listener, Action<Socket> accepted) : IPolled
    {
        // One for each time it is reported ready: a further try that finds none would cost an exception.
        public void OnReadable()
        {
            try
            {
                accepted(listener.Accept());
            }
            catch (SocketException)
            {
                // The subject gave the connection up before it was accepted; the next one is reported anew.
            }
        }

        public void OnWritable()
        {
        }
    }
}
