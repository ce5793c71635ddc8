using System.Text;
using McpProxyFast.Fuzz.Oracles;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>Any cut of a request head gives the same steps; one that is accepted leaves with the same method, target, kept fields and framing.</summary>
internal sealed class RequestHeadTarget : IFuzzTarget
{
    /// <summary>Small, so that short inputs reach the limits.</summary>
    private static readonly HeadLimits Small = new(MaxHeadBytes: 512, MaxStartLineBytes: 128, MaxFields: 12, new BodyLimits(MaxDataBytes: 600, MaxOverheadBytes: 40));

    /// <summary>Room for what the rewriter adds to a head that was within the small limits.</summary>
    private static readonly HeadLimits Roomy = new(MaxHeadBytes: 4096, MaxStartLineBytes: 1024, MaxFields: 20, new BodyLimits(MaxDataBytes: 600, MaxOverheadBytes: 40));

    private readonly CapturingWriter _output = new();
    private readonly RequestRewriter _rewriter = new(new Uri("http://upstream.test/"), ForwardedRule.Off);

    public string Name => "request-head";

    public string Dictionary => "request";

    public void Run(ReadOnlySpan<byte> input)
    {
        var head = new RequestHead();
        Step step = HeadSplits.RequireSame(input.ToArray(), Small, head, () => new RequestHead());
        if (step.Kind is not StepKind.Done)
        {
            return;
        }

        Require(step.Length <= Small.MaxHeadBytes, "An accepted head is within its limit.");
        _output.Clear();
        _rewriter.Write(head, default, _output);
        var again = new RequestHead();
        again.SetBytes(_output.Written.ToArray());
        Step second = HeadParser.Parse(again, Roomy);
        Require(second == Step.Done(_output.Written.Length), $"What was accepted is accepted again after rewriting, not {second}.");
        RequireSameRequest(head, again);
    }

    private static void RequireSameRequest(RequestHead head, RequestHead again)
    {
        Require(head.Method.SequenceEqual(again.Method), "The method stays.");
        Require(ExpectedTarget(head) == TargetOf(again), $"The target stays: '{ExpectedTarget(head)}' left as '{TargetOf(again)}'.");
        Require(again.MinorVersion == 1, "The proxy's own version leaves.");
        Require(head.Framing.Kind == again.Framing.Kind && head.Framing.DeclaredLength == again.Framing.DeclaredLength, "The framing stays.");

        string expect = head.ExpectsContinue && !head.Framing.IsComplete ? "host" : "expect";
        string hops = head.Method.SequenceEqual("OPTIONS"u8) || head.Method.SequenceEqual("TRACE"u8) ? "max-forwards" : "host"; // elsewhere it means nothing, and stays
        List<(string Name, string Value)> kept = ForwardingRule.Kept(
            ForwardingRule.Lines(head.Span), "host", hops, "forwarded", "x-forwarded-", "x-real-ip", "x-client-ip", "true-client-ip", expect);
        List<(string Name, string Value)> sent = ForwardingRule.Lines(again.Span);
        Require(sent.Count > 0 && sent[0] == ("Host", "upstream.test"), "Host is the upstream's.");
        Require(sent.Skip(1).Take(kept.Count).SequenceEqual(kept), $"Exactly the kept fields leave, in order: [{string.Join(", ", kept)}], not [{string.Join(", ", sent)}].");
        Require(sent.Skip(1 + kept.Count).All(line => line.Name is "Content-Length" or "Transfer-Encoding" or "Max-Forwards"), "Nothing else is added.");
    }

    /// <summary>What RFC 9112 §3.2 makes of the received target; told from the text, not by the parser.</summary>
    private static string ExpectedTarget(RequestHead head)
    {
        string target = TargetOf(head);
        int authority = target.StartsWith('/') || target == "*" ? -1 : target.IndexOf("://", StringComparison.Ordinal) + 3;
        if (authority < 0)
        {
            return target;
        }

        int path = target.IndexOfAny(['/', '?'], authority);
        return path < 0 ? (head.IsOptions ? "*" : "/")
            : target[path] == '?' ? "/" + target[path..]
            : target[path..];
    }

    private static string TargetOf(RequestHead head) => Encoding.Latin1.GetString(head.Span[..head.FieldsStart]).Split(' ')[1];
}
