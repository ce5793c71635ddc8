using System.Text;
using McpProxyFast.Fuzz.Oracles;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>Any cut of a response head gives the same steps; one that is accepted leaves with the same status, reason, kept fields and framing.</summary>
/// <remarks>The first byte says what was asked: <c>H</c> for a HEAD, anything else for a GET.</remarks>
internal sealed class ResponseHeadTarget : IFuzzTarget
{
    /// <summary>Small, so that short inputs reach the limits.</summary>
    private static readonly HeadLimits Small = new(MaxHeadBytes: 512, MaxStartLineBytes: 512, MaxFields: 12, new BodyLimits(MaxDataBytes: 600, MaxOverheadBytes: 40));

    private static readonly HeadLimits Roomy = new(MaxHeadBytes: 4096, MaxStartLineBytes: 1024, MaxFields: 20, new BodyLimits(MaxDataBytes: 600, MaxOverheadBytes: 40));

    private readonly CapturingWriter _output = new();
    private readonly ResponseRewriter _rewriter = new(new Uri("http://upstream.test/"), hidesChallenges: false, setsCors: false);

    public string Name => "response-head";

    public string Dictionary => "response";

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        bool answersHead = input[0] == (byte)'H';
        var head = new ResponseHead { AnswersHead = answersHead };
        Step step = HeadSplits.RequireSame(input[1..].ToArray(), Small, head, () => new ResponseHead { AnswersHead = answersHead });
        if (step.Kind is not StepKind.Done)
        {
            return;
        }

        Require(step.Length <= Small.MaxHeadBytes, "An accepted head is within its limit.");
        FramingKind framing = head.Framing.Kind is FramingKind.Length ? FramingKind.Length : FramingKind.Chunked;
        _output.Clear();
        _rewriter.Write(head, new ResponseEdits { Framing = framing, KeepsAlive = true, OwnAuthority = "proxy.test"u8 }, _output);
        var again = new ResponseHead { AnswersHead = answersHead };
        again.SetBytes(_output.Written.ToArray());
        Step second = HeadParser.Parse(again, Roomy);
        Require(second == Step.Done(_output.Written.Length), $"What was accepted is accepted again after rewriting, not {second}.");
        RequireSameResponse(head, again);
    }

    private static void RequireSameResponse(ResponseHead head, ResponseHead again)
    {
        Require(head.Status == again.Status, "The status stays.");
        Require(ReasonOf(head) == ReasonOf(again), "The reason phrase stays.");
        Require(head.IsBodyless == again.IsBodyless, "A body stays a body.");
        FramingKind expected = head.Framing.Kind is FramingKind.UntilClose ? FramingKind.Chunked : head.Framing.Kind;
        Require(again.Framing.Kind == expected && again.Framing.DeclaredLength == head.Framing.DeclaredLength, "The framing stays, in its plain form.");

        List<(string Name, string Value)> received = ForwardingRule.Lines(head.Span);
        bool moves = received.Count(line => line.Name.Equals("location", StringComparison.OrdinalIgnoreCase)) == 1
            && received.Exists(line => line.Name.Equals("location", StringComparison.OrdinalIgnoreCase) && IsOnUpstream(line.Value));
        List<(string Name, string Value)> kept = moves ? ForwardingRule.Kept(received, "location") : ForwardingRule.Kept(received);
        List<(string Name, string Value)> sent = ForwardingRule.Lines(again.Span);
        Require(sent.Take(kept.Count).SequenceEqual(kept), $"Exactly the kept fields leave, in order: [{string.Join(", ", kept)}], not [{string.Join(", ", sent)}].");
        Require(sent.Skip(kept.Count).All(line => line.Name is "Content-Length" or "Transfer-Encoding" || (moves && line.Name == "Location")), "Nothing else is added.");
    }

    private static bool IsOnUpstream(string location)
    {
        const string origin = "http://upstream.test";
        return location.Length > origin.Length
            && location.StartsWith(origin, StringComparison.OrdinalIgnoreCase)
            && location[origin.Length] is '/' or '?' or '#';
    }

    private static string ReasonOf(ResponseHead head)
    {
        string line = Encoding.Latin1.GetString(head.Span[..(head.FieldsStart - 2)]);
        return line.Length > 13 ? line[13..] : "";
    }
}
