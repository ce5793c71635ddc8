using System.Net;
using System.Net.Sockets;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load.Workloads;

/// <summary>A way to put load on the subject: opened once, then driven by the loop until told to stop.</summary>
internal abstract class Workload(EventLoop loop, LoadPlan plan)
{
    protected EventLoop Loop { get; } = loop;

    protected LoadPlan Plan { get; } = plan;

    public virtual Recorder Recorder { get; } = new();

    /// <summary>Whether the CPU time of the window, divided by its units, means something.</summary>
    public virtual bool HasOneUnit => true;

    /// <summary>When <see cref="RunDue"/> has something to do, at the earliest.</summary>
    public virtual long NextDue => long.MaxValue;

    /// <summary>Requests whose answers are not there yet.</summary>
    public virtual int Outstanding => 0;

    /// <summary>Grows with every answer and event.</summary>
    public virtual long Progress => Recorder.Total;

    public static Workload For(EventLoop loop, LoadPlan plan) => plan.Kind switch
    {
        LoadKind.ClosedLoop or LoadKind.NewConnections => new ClosedLoop(loop, plan),
        LoadKind.FixedRate => new FixedRate(loop, plan),
        LoadKind.Mixed => new Mixed(loop, plan),
        _ => new OpenStreams(loop, plan),
    };

    public abstract void Open();

    public virtual void RunDue(long now)
    {
    }

    /// <summary>Sends no further request.</summary>
    public abstract void Stop();

    /// <summary>Looks at the window's figures and throws <see cref="TooSlowException"/> when the subject fell short of what was asked.</summary>
    public virtual void CheckWindow(double seconds)
    {
    }

    // On loopback a connection is made before the subject accepts it, so waiting for it costs the loop next to nothing.
    protected Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, Plan.Port);
        return socket;
    }
}
