using System.IO.Pipelines;
using System.Net.Sockets;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Engine.Tests.Transport;

/// <summary>Who is served first where several connections of one loop have something at once.</summary>
public sealed class EventLoopTests : IDisposable
{
    private readonly EventLoop _loop = new(0);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task RequestGoesBeforeAStreamThatWasReadyEarlier()
    {
        (Connection stream, Socket streamPeer) = LocalPair();
        (Connection request, Socket requestPeer) = LocalPair();
        (Connection gate, Socket gatePeer) = LocalPair();
        stream.IsBulk = true;
        var order = new List<string>();
        Task both = Task.WhenAll(NoteAsync(stream, "stream", order), NoteAsync(request, "request", order));
        using var isOpen = new ManualResetEventSlim();
        Task waiting = HoldLoopAsync(gate, isOpen, out Task isHeld);
        await gatePeer.SendAsync("x"u8.ToArray());
        await isHeld.Soon();

        await streamPeer.SendAsync("x"u8.ToArray());
        await requestPeer.SendAsync("x"u8.ToArray());
        isOpen.Set();

        await both.Soon();
        await waiting.Soon();
        Assert.Equal(["request", "stream"], order);
        Close(stream, streamPeer);
        Close(request, requestPeer);
        Close(gate, gatePeer);
    }

    [Fact]
    public async Task AnswerGoesBeforeARequestThatWasReadyEarlier()
    {
        (Connection request, Socket requestPeer) = LocalPair(isAccepted: true);
        (Connection answer, Socket answerPeer) = LocalPair();
        (Connection gate, Socket gatePeer) = LocalPair();
        var order = new List<string>();
        Task both = Task.WhenAll(NoteAsync(request, "request", order), NoteAsync(answer, "answer", order));
        using var isOpen = new ManualResetEventSlim();
        Task waiting = HoldLoopAsync(gate, isOpen, out Task isHeld);
        await gatePeer.SendAsync("x"u8.ToArray());
        await isHeld.Soon();

        await requestPeer.SendAsync("x"u8.ToArray());
        await answerPeer.SendAsync("x"u8.ToArray());
        isOpen.Set();

        await both.Soon();
        await waiting.Soon();
        Assert.Equal(["answer", "request"], order);
        Close(request, requestPeer);
        Close(answer, answerPeer);
        Close(gate, gatePeer);
    }

    [Fact]
    public async Task AnswerThatComesWhileManyRequestsWaitGoesBeforeTheLastOfThem()
    {
        const int inARow = 32;
        const int requests = inARow + 8;
        (Connection answer, Socket answerPeer) = LocalPair();
        (Connection gate, Socket gatePeer) = LocalPair();
        List<(Connection Connection, Socket Peer)> clients = [.. Enumerable.Range(0, requests).Select(_ => LocalPair(isAccepted: true))];
        var order = new List<string>();
        Task answering = NoteAsync(answer, "answer", order);
        List<Task> asking = [.. clients.Select(client => NoteAsync(client.Connection, "request", order, then: () => answerPeer.Send("x"u8)))];
        using var isOpen = new ManualResetEventSlim();
        Task waiting = HoldLoopAsync(gate, isOpen, out Task isHeld);
        await gatePeer.SendAsync("x"u8.ToArray());
        await isHeld.Soon();

        clients.ForEach(static client => client.Peer.Send("x"u8));
        isOpen.Set();

        await Task.WhenAll([answering, waiting, .. asking]).Soon();
        Assert.Equal(inARow, order.IndexOf("answer"));
        Assert.Equal(requests + 1, order.Count);
        clients.ForEach(static client => Close(client.Connection, client.Peer));
        Close(answer, answerPeer);
        Close(gate, gatePeer);
    }

    [Fact]
    public async Task ReaderThatFindsMuchLeavesTheOthersATurn()
    {
        const int more = 1; // than the buffers take that grow to the size after which the others have a turn
#if DEBUG
        const int sent = Buffers.Largest + more; // a read gathers what its tiny buffers bring
        bool[] atOnce = [false, false];
#else
        const int sent = Buffers.Smallest + Buffers.Medium + Buffers.Large + more;
        bool[] atOnce = [false, true, true, false];
#endif
        (Connection connection, Socket peer) = LocalPair();
        (Connection gate, Socket gatePeer) = LocalPair();
        Task<List<bool>> reading = ReadAsync(connection, sent);
        using var isOpen = new ManualResetEventSlim();
        Task waiting = HoldLoopAsync(gate, isOpen, out Task isHeld);
        await gatePeer.SendAsync("x"u8.ToArray());
        await isHeld.Soon();

        await peer.SendAsync(new byte[sent]); // the system takes it in pieces; the reader comes when all are there
        isOpen.Set();

        // The first has to wait for the bytes; the last finds some, and waits for its turn.
        Assert.Equal(atOnce, await reading.Soon());
        await waiting.Soon();
        Close(connection, peer);
        Close(gate, gatePeer);
    }

    [Fact]
    public async Task BytesThatWaitForATurnAreThereAfterACancellation()
    {
        const int sent = Buffers.Largest + (2 * Buffers.Smallest);
        (Connection connection, Socket peer) = LocalPair();
        Task<int> reading = ReadWithCancellationAsync(connection, sent);

        await peer.SendAsync(new byte[sent]);

        Assert.Equal(sent, await reading.Soon());
        Close(connection, peer);
    }

    /// <summary>Reads to a length; says of each read whether it was there at once.</summary>
    private static async Task<List<bool>> ReadAsync(Connection connection, int length)
    {
        var atOnce = new List<bool>();
        while (length > 0)
        {
            ValueTask<ReadResult> reading = connection.Input.ReadAsync();
            atOnce.Add(reading.IsCompleted);
            ReadResult read = await reading.ConfigureAwait(false);
            length -= (int)read.Buffer.Length;
            connection.Input.AdvanceTo(read.Buffer.End);
        }

        return atOnce;
    }

    /// <summary>Reads to a length, and cancels the first read that has to wait although something came before.</summary>
    private static async Task<int> ReadWithCancellationAsync(Connection connection, int length)
    {
        int received = 0;
        bool isCanceled = false;
        while (received < length)
        {
            ValueTask<ReadResult> reading = connection.Input.ReadAsync();
            if (!reading.IsCompleted && received > 0 && !isCanceled)
            {
                isCanceled = true;
                connection.Input.CancelPendingRead();
            }

            ReadResult read = await reading.ConfigureAwait(false);
            received += (int)read.Buffer.Length;
            connection.Input.AdvanceTo(read.Buffer.End);
        }

        return received;
    }

    private static async Task NoteAsync(Connection connection, string name, List<string> order, Action? then = null)
    {
        ReadResult read = await connection.Input.ReadAsync().ConfigureAwait(false);
        order.Add(name); // on the loop's one thread
        then?.Invoke();
        connection.Input.AdvanceTo(read.Buffer.End);
    }

    /// <summary>Keeps the loop's thread from looking at its sockets, from the first byte of a connection until the gate opens.</summary>
    private static Task HoldLoopAsync(Connection connection, ManualResetEventSlim gate, out Task isHeld)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        isHeld = held.Task;
        return HoldAsync();

        async Task HoldAsync()
        {
            ReadResult read = await connection.Input.ReadAsync().ConfigureAwait(false);
            held.SetResult();
            gate.Wait(Patience.Limit);
            connection.Input.AdvanceTo(read.Buffer.End);
        }
    }

    /// <summary>Over a local socket: it takes all bytes of a send, whether or not somebody reads, and has them there when the send returns.</summary>
    private (Connection Connection, Socket Peer) LocalPair(bool isAccepted = false)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var peer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(path));
        Socket accepted = listener.Accept();
        File.Delete(path);
        accepted.Blocking = false;
        int fd = (int)accepted.Handle;
        accepted.SafeHandle.SetHandleAsInvalid(); // the connection closes it
        return (new Connection(new EpollChannel(fd, _loop, isAccepted), null), peer);
    }

    private static void Close(Connection connection, Socket peer)
    {
        connection.Close(reset: false);
        peer.Dispose();
    }
}
