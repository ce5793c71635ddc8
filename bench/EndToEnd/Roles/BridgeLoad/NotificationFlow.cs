using System.Globalization;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>Notifications of the server at a fixed rate, on the session's own stream.</summary>
internal sealed class NotificationFlow(IMcpChannel channel, int perSecond) : McpLoad(channel)
{
    private long _next;
    private int _answers;

    public override void Begin() => SetRate(1, perSecond);

    public override void Step()
    {
        ReadOnlySpan<byte> message = Channel.Receive();
        if (!McpMessages.IsNotification(message, out long number, out long sentAt))
        {
            Check(message);
            _answers++;
            return;
        }

        Recorder.Completed(sentAt);
        if (number != _next++)
        {
            throw new WrongAnswerException($"Notification {_next - 1} is missing; {number} came.");
        }
    }

    public override void End()
    {
        SetRate(2, 0);
        while (_answers < 2)
        {
            Step();
        }
    }

    private void SetRate(long number, int rate)
    {
        byte[] call = McpMessages.NewCall(McpMessages.Notify, $$"""{"rate":{{rate.ToString(CultureInfo.InvariantCulture)}}}""");
        McpMessages.Number(call, number);
        Channel.Send(call);
    }
}
