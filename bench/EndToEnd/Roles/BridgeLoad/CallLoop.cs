using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>Calls of a tool in a closed loop: as soon as one is answered, another is sent.</summary>
internal sealed class CallLoop(IMcpChannel channel, string tool, int inFlight) : McpLoad(channel)
{
    private readonly byte[] _call = McpMessages.NewCall(tool, """{"text":"hello"}""");
    private readonly Dictionary<long, long> _sentAt = [];
    private long _lastNumber;

    public override void Begin()
    {
        while (_sentAt.Count < inFlight)
        {
            Call();
        }
    }

    public override void Step()
    {
        Take();
        Call();
    }

    public override void End()
    {
        while (_sentAt.Count > 0)
        {
            Take();
        }
    }

    private void Call()
    {
        McpMessages.Number(_call, ++_lastNumber);
        _sentAt.Add(_lastNumber, Clock.Now);
        Channel.Send(_call);
    }

    private void Take()
    {
        ReadOnlySpan<byte> answer = Channel.Receive();
        if (!_sentAt.Remove(McpMessages.NumberOf(answer), out long sentAt))
        {
            throw new WrongAnswerException($"Nobody has asked for this: {System.Text.Encoding.UTF8.GetString(answer)}");
        }

        Recorder.Completed(sentAt);
        Check(answer);
    }
}
