using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.EndToEnd.Roles.Load;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>Asks a starting subject until it answers, and says how long that took.</summary>
internal static class FirstAnswer
{
    private const int AnswerTimeoutMilliseconds = 5_000;
    private const int StatusOffset = 9;
    private const int StatusLength = 3;

    // For a machine that does many other things; a subject that has ended is seen at once.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <exception cref="WrongAnswerException">It ended, or gave no proper answer in time.</exception>
    public static double WaitFor(ChildProcess subject, LoadPlan plan, long startedAt)
    {
        byte[] request = RequestTemplate.Call(plan, plan.Target).With(1).ToArray();
        string last = "no connection";
        while (Stopwatch.GetElapsedTime(startedAt) < Timeout && !subject.HasExited)
        {
            last = Ask(plan.Port, request) ?? last;
            if (last == "200")
            {
                return Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
            }

            Thread.Sleep(1);
        }

        throw new WrongAnswerException($"It gave no first answer ({(subject.HasExited ? "it has ended" : last)}): {subject.LastOutput}");
    }

    /// <summary>The status of one call, or null when nobody listens.</summary>
    public static string? Ask(int port, byte[] request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.ReceiveTimeout = AnswerTimeoutMilliseconds;
        if (!IsConnected(socket, port))
        {
            return null;
        }

        socket.Send(request, SocketFlags.None, out _);
        var buffer = new byte[1024];
        int length = socket.Receive(buffer, SocketFlags.None, out _);
        return length > StatusOffset + StatusLength ? Encoding.ASCII.GetString(buffer, StatusOffset, StatusLength) : null;
    }

    // By event arguments, since a refused connection is expected here and an exception would take longer than some subjects to start.
    private static bool IsConnected(Socket socket, int port)
    {
        using var done = new ManualResetEventSlim();
        using var connecting = new SocketAsyncEventArgs { RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, port) };
        connecting.Completed += (_, _) => done.Set();
        if (socket.ConnectAsync(connecting))
        {
            done.Wait();
        }

        return connecting.SocketError is SocketError.Success;
    }
}
