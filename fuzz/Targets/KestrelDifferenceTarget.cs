using System.Text;
using McpProxyFast.Fuzz.Oracles;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>What is accepted and forwarded parses to the same request under Kestrel's parser, and Kestrel takes it as it came too, but for a listed set.</summary>
internal sealed class KestrelDifferenceTarget : IFuzzTarget
{
    private static readonly HeadLimits Limits = new(MaxHeadBytes: 8192, MaxStartLineBytes: 4096, MaxFields: 100, new BodyLimits(MaxDataBytes: 600, MaxOverheadBytes: 40));

    private readonly HashSet<string> _listed =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Differences", "kestrel.txt"))
            .Where(line => line.Length > 0 && line[0] is not ('#' or ' '))
    ];

    private readonly CapturingWriter _output = new();
    private readonly RequestRewriter _rewriter = new(new Uri("http://upstream.test:8000/v2/mcp?k=v"), ForwardedRule.Set);

    public string Name => "kestrel";

    public string Dictionary => "request";

    public void Run(ReadOnlySpan<byte> input)
    {
        var head = new RequestHead();
        head.SetBytes(input.ToArray());
        if (input.IsEmpty || HeadParser.Parse(head, Limits).Kind is not StepKind.Done)
        {
            return;
        }

        KestrelRequest received = KestrelRequest.Parse(head.Bytes[..head.Length]);
        RequireListed(received.Refusal.Length == 0, $"received: {received.Refusal}");

        _output.Clear();
        _rewriter.Write(head, default, _output);
        byte[] forwarded = _output.Written.ToArray();
        KestrelRequest kestrel = KestrelRequest.Parse(forwarded);
        if (kestrel.Refusal.Length > 0)
        {
            RequireListed(false, $"forwarded: {kestrel.Refusal}");
            return;
        }

        RequireSame(forwarded, kestrel);
    }

    private static void RequireSame(byte[] forwarded, KestrelRequest kestrel)
    {
        string[] requestLine = Encoding.Latin1.GetString(forwarded).Split("\r\n")[0].Split(' ');
        Require(kestrel.Length == forwarded.Length, "Kestrel's head ends where ours does.");
        Require(kestrel.Method == requestLine[0], $"Kestrel reads the method '{kestrel.Method}'.");
        Require(kestrel.Target == requestLine[1], $"Kestrel reads the target '{kestrel.Target}'.");
        Require(kestrel.Version == "Http11", $"Kestrel reads the version '{kestrel.Version}'.");
        List<(string Name, string Value)> ours = ForwardingRule.Lines(forwarded);
        Require(kestrel.Fields.SequenceEqual(ours), $"Kestrel reads the fields [{string.Join(", ", kestrel.Fields)}], not [{string.Join(", ", ours)}].");
    }

    private void RequireListed(bool same, string difference) => Require(same || _listed.Contains(difference), $"Not in the list of differences: '{difference}'.");
}
