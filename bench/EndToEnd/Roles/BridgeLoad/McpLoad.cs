using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>What goes over a bridge and what comes back. One thread, which waits for one message at a time.</summary>
internal abstract class McpLoad(IMcpChannel channel)
{
    public Recorder Recorder { get; } = new();

    protected IMcpChannel Channel { get; } = channel;

    public static McpLoad For(string name, IMcpChannel channel) => name switch
    {
        "call-1" => new CallLoop(channel, McpMessages.Echo, inFlight: 1),
        "call-16" => new CallLoop(channel, McpMessages.Echo, inFlight: 16),
        "call-stream" => new CallLoop(channel, McpMessages.EchoAsStream, inFlight: 1),
        "notify" => new NotificationFlow(channel, perSecond: 500),
        _ => throw new InvalidDataException($"There is no load {name}."),
    };

    /// <summary>Sends what comes first.</summary>
    public abstract void Begin();

    /// <summary>Waits for one message and does what follows from it.</summary>
    public abstract void Step();

    /// <summary>Sends nothing more, and waits for what is still missing.</summary>
    public abstract void End();

    protected static void Check(ReadOnlySpan<byte> answer)
    {
        if (answer.IndexOf(McpMessages.TextOfAnswers) < 0 || answer.IndexOf("\"result\""u8) < 0)
        {
            throw new WrongAnswerException($"An answer is wrong: {System.Text.Encoding.UTF8.GetString(answer)}");
        }
    }
}
