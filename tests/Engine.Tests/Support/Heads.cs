using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Support;

/// <summary>Parses heads from text.</summary>
internal static class Heads
{
    public static readonly BodyLimits Body = new(MaxDataBytes: 64 * 1024, MaxOverheadBytes: 64);

    public static readonly HeadLimits Limits = new(MaxHeadBytes: 4096, MaxStartLineBytes: 256, MaxFields: 16, Body);

    /// <summary>Gives the parser the pieces one after the other, as they would arrive, until the parser has said something.</summary>
    public static Step Parse(MessageHead head, byte[][] pieces, HeadLimits? limits = null)
    {
        byte[] received = [];
        Step step = Step.NeedMore;
        foreach (byte[] piece in pieces)
        {
            received = [.. received, .. piece];
            head.SetBytes(received);
            step = HeadParser.Parse(head, limits ?? Limits);
            if (step.Kind is not StepKind.NeedMore)
            {
                break;
            }
        }

        return step;
    }

    /// <summary>A request head that is known to be right.</summary>
    public static RequestHead Request(string wire)
    {
        var head = new RequestHead();
        Assert.Equal(StepKind.Done, Parse(head, [Encoding.Latin1.GetBytes(wire)]).Kind);
        return head;
    }

    /// <summary>A response head that is known to be right.</summary>
    public static ResponseHead Response(string wire, bool answersHead = false)
    {
        var head = new ResponseHead { AnswersHead = answersHead };
        Assert.Equal(StepKind.Done, Parse(head, [Encoding.Latin1.GetBytes(wire)]).Kind);
        return head;
    }

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
