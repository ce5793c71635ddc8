using McpProxyFast.Fuzz.Oracles;
using McpProxyFast.Http1;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>Any cut of a chunked body, and a walk over it, leaves the same bytes; they are the plain form with the same data; nothing behind the body's end is read.</summary>
internal sealed class ChunkedFramingTarget : IFuzzTarget
{
    private static readonly BodyLimits Limits = new(MaxDataBytes: 600, MaxOverheadBytes: 40);

    public string Name => "chunked";

    public string Dictionary => "chunked";

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] body = input.ToArray();
        Outcome whole = Feed(body, [], dataOnly: false);
        Outcome data = Feed(body, [], dataOnly: true);
        foreach (int cut in Cuts.Of(body.Length))
        {
            RequireSame(whole, Feed(body, [cut], dataOnly: false), $"cut at {cut}");
            RequireSame(data, Feed(body, [cut], dataOnly: true), $"data only, cut at {cut}");
        }

        int[] everywhere = [.. Enumerable.Range(1, Math.Max(0, body.Length - 1))];
        RequireSame(whole, Feed(body, everywhere, dataOnly: false), "byte by byte");
        RequireSame(data, Feed(body, everywhere, dataOnly: true), "data only, byte by byte");
        RequireSame(whole, Walk(body, dataOnly: false), "walked");
        RequireSame(data, Walk(body, dataOnly: true), "data only, walked");
        Require(whole.IsComplete == data.IsComplete && whole.Violation == data.Violation, "The sink's form does not change what is accepted.");
        if (whole.IsComplete)
        {
            RequireSound(body, whole, data);
        }
    }

    private static void RequireSound(byte[] body, Outcome whole, Outcome data)
    {
        Require(whole.Read == data.Read, "Both forms end at the same byte.");
        byte[]? plain = ReceivedMessages.ReadChunks([.. whole.Taken, .. "0\r\n\r\n"u8]);
        Require(plain is not null, "What leaves is whole.");
        Require(plain.AsSpan().SequenceEqual(data.Taken), "The plain form holds the data.");
        (byte[] Data, long Length)? reference = SentMessages.ReadChunks(body);
        Require(reference is not null && reference.Value.Length == whole.Read, "The body ends where RFC 9112 says.");
        Require(reference!.Value.Data.AsSpan().SequenceEqual(data.Taken), "The data is what RFC 9112 says.");
        Require(!Feed(body[..(whole.Read - 1)], [], dataOnly: false).IsComplete, "Without its last byte a body is not complete.");
    }

    private static void RequireSame(Outcome expected, Outcome actual, string how)
    {
        Require(expected.IsComplete == actual.IsComplete && expected.Violation == actual.Violation, $"Any cut ends the same: whole {expected}, {how} {actual}.");
        bool rejected = expected.Violation is not Violation.None;
        bool same = rejected
            ? expected.Taken.AsSpan().StartsWith(actual.Taken) || actual.Taken.AsSpan().StartsWith(expected.Taken)
            : expected.Taken.AsSpan().SequenceEqual(actual.Taken) && expected.Read == actual.Read;
        Require(same, $"Any cut leaves the same bytes: {how}.");
    }

    private static Outcome Feed(byte[] body, int[] cuts, bool dataOnly)
    {
        var framing = new ChunkedFraming(Limits);
        framing = dataOnly ? framing.AsDataOnly() : framing;
        var taken = new List<byte>();
        int read = 0;
        foreach (int end in cuts.Append(body.Length))
        {
            while (read < end && !framing.IsComplete)
            {
                Step step = framing.Next(body.AsSpan(read, end - read));
                if (step.Kind is StepKind.Reject)
                {
                    return new Outcome(false, step.Violation, read, [.. taken]);
                }

                if (step.Kind is StepKind.Take)
                {
                    taken.AddRange(body.AsSpan(read, step.Length));
                }

                read += step.Length;
            }
        }

        return new Outcome(framing.IsComplete, Violation.None, read, [.. taken]);
    }

    private static Outcome Walk(byte[] body, bool dataOnly)
    {
        BodyFraming framing = BodyFraming.OfChunks(Limits);
        framing = dataOnly ? framing.AsDataOnly() : framing;
        var walk = new BodyWalk(ref framing, body);
        var taken = new List<byte>();
        int end = -1;
        while (walk.MoveNext())
        {
            Require(walk.RunLength > 0 && walk.RunStart > end, "Runs do not touch.");
            end = walk.RunStart + walk.RunLength;
            taken.AddRange(body.AsSpan(walk.RunStart, walk.RunLength));
        }

        return new Outcome(framing.IsComplete, walk.Violation, walk.Length, [.. taken]);
    }

    private readonly record struct Outcome(bool IsComplete, Violation Violation, int Read, byte[] Taken)
    {
        public override string ToString() => $"({(IsComplete ? "complete" : Violation.ToString())}, {Read} read, {Taken.Length} taken)";
    }
}
