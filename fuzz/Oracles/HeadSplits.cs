using McpProxyFast.Http1;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>Parses one input whole, cut at every index, and byte by byte.</summary>
internal static class HeadSplits
{
    /// <summary>Parses the input in all those ways.</summary>
    /// <returns>The step that all of them gave.</returns>
    public static Step RequireSame<T>(byte[] input, in HeadLimits limits, T whole, Func<T> make)
        where T : MessageHead
    {
        Step expected = Parse(whole, limits, input);
        foreach (int cut in Cuts.Of(input.Length))
        {
            T head = make();
            Step step = Parse(head, limits, input.AsMemory(0, cut));
            if (step.Kind is StepKind.NeedMore)
            {
                step = Parse(head, limits, input);
            }

            RequireEqual(expected, whole, step, head, $"cut at {cut}");
        }

        T grown = make();
        Step last = Step.NeedMore;
        for (int length = 1; length <= input.Length && last.Kind is StepKind.NeedMore; length++)
        {
            last = Parse(grown, limits, input.AsMemory(0, length));
        }

        RequireEqual(expected, whole, last, grown, "byte by byte");
        return expected;
    }

    private static Step Parse(MessageHead head, in HeadLimits limits, ReadOnlyMemory<byte> received)
    {
        head.SetBytes(received);
        return received.IsEmpty ? Step.NeedMore : HeadParser.Parse(head, limits);
    }

    private static void RequireEqual(Step expected, MessageHead whole, Step actual, MessageHead head, string how)
    {
        Require(expected == actual, $"Any cut gives the same step: whole {expected}, {how} {actual}.");
        if (expected.Kind is StepKind.Done)
        {
            Require(SameFields(whole, head), $"Any cut finds the same fields: {how}.");
            Require(whole.Framing.Kind == head.Framing.Kind && whole.Framing.DeclaredLength == head.Framing.DeclaredLength && whole.KeepsAlive == head.KeepsAlive,
                $"Any cut finds the same framing: {how}.");
        }
    }

    private static bool SameFields(MessageHead one, MessageHead other)
    {
        Span<FieldSlot> ours = one.Fields.Slots;
        Span<FieldSlot> theirs = other.Fields.Slots;
        bool same = ours.Length == theirs.Length;
        for (int i = 0; same && i < ours.Length; i++)
        {
            same = ours[i].LineStart == theirs[i].LineStart
                && ours[i].ThisHopOnly == theirs[i].ThisHopOnly
                && one.Name(ours[i]).SequenceEqual(other.Name(theirs[i]))
                && one.Value(ours[i]).SequenceEqual(other.Value(theirs[i]));
        }

        return same;
    }
}
