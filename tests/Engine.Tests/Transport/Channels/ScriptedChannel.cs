using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>A channel that does as the test says: what comes between two steps of reader and writer is decided here.</summary>
internal sealed class ScriptedChannel : Channel
{
    /// <summary>What the next receive does.</summary>
    public Func<int> OnReceive { get; set; } = static () => WouldBlock;

    /// <summary>What the next send does.</summary>
    public Func<int> OnSend { get; set; } = static () => WouldBlock;

    /// <summary>Bytes lie here that no receive has taken.</summary>
    public bool HasBytes { get; set; }

    public override bool WasReset => false;

    protected override bool HasUnread => HasBytes;

    public void BecomeReadable(bool ended = false) => TellReadable(ended);

    public void BecomeWritable() => TellWritable();

    public override int Receive(Span<byte> room) => OnReceive();

    public override int Send(ReadOnlySpan<byte> pending, ReadOnlyMemory<byte> source) => OnSend();

    public override Arrival Look(bool asksSystem) => Arrival.Nothing;

    public override void ShutdownSend()
    {
    }

    protected override void Start()
    {
    }

    protected override void OnAbort()
    {
    }

    protected override void OnClose(bool reset) => CompleteClosed();
}
