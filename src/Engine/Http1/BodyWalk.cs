using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Http1;

/// <summary>Walks over received bytes as far as they belong to one body, and finds the runs of them that go on.</summary>
/// <remarks>
/// The one loop over <see cref="BodyFraming.Next"/>. Use as <c>while (walk.MoveNext())</c>, each time with the run that was found. The next walk, over the
/// bytes that come next, goes on where this one stops.
/// </remarks>
internal ref struct BodyWalk
{
    private readonly ref BodyFraming _framing;
    private readonly ReadOnlySpan<byte> _input;

    /// <param name="framing">The body's framing; it remembers how far the body has been read.</param>
    /// <param name="input">The bytes behind those of the last walk.</param>
    public BodyWalk(ref BodyFraming framing, ReadOnlySpan<byte> input)
    {
        _framing = ref framing;
        _input = input;
    }

    /// <summary>Bytes of the input that belong to the body so far, both those that go on and those that are dropped.</summary>
    public int Length { get; private set; }

    /// <summary>Where the run that <see cref="MoveNext"/> has found starts in the input.</summary>
    public int RunStart { get; private set; }

    /// <summary>Bytes of the run that <see cref="MoveNext"/> has found. Runs never touch: between two of them something is dropped.</summary>
    public int RunLength { get; private set; }

    /// <summary>The rule that the bytes break at <see cref="Length"/>; then the walk is over.</summary>
    public Violation Violation { get; private set; }

    /// <summary>Goes on to the next run.</summary>
    /// <returns>False if the input or the body ends, or if the framing is broken: then the bytes since the last run are not to go on.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        Debug.Assert(Violation is Violation.None, "Nothing follows a broken framing.");
        int length = Length; // locals, which the loop keeps in registers
        int runStart = length;
        int runLength = 0;
        while (length < _input.Length && !_framing.IsComplete)
        {
            Step step = _framing.Next(_input[length..]);
            length += step.Length;
            if (step.Kind is StepKind.Take)
            {
                runLength += step.Length;
                continue;
            }

            if (step.Kind is StepKind.Reject)
            {
                Violation = step.Violation;
                runLength = 0;
                break;
            }

            if (step.Length == 0)
            {
                continue;
            }

            if (runLength > 0)
            {
                break;
            }

            runStart = length;
        }

        Length = length;
        RunStart = runStart;
        RunLength = runLength;
        return runLength > 0;
    }

    /// <summary>Walks over all of the input that belongs to the body, whatever of it goes on.</summary>
    /// <param name="framing">The body's framing.</param>
    /// <param name="input">The bytes behind those of the last walk.</param>
    /// <param name="length">Bytes of the input that belong to the body.</param>
    /// <returns>The rule that the bytes break, if any.</returns>
    public static Violation ToEnd(ref BodyFraming framing, in ReadOnlySequence<byte> input, out long length)
    {
        length = 0;
        foreach (ReadOnlyMemory<byte> segment in input)
        {
            var walk = new BodyWalk(ref framing, segment.Span);
            while (walk.MoveNext())
            {
                // Only the end is looked for.
            }

            length += walk.Length;
            if (walk.Violation is not Violation.None || framing.IsComplete)
            {
                return walk.Violation;
            }
        }

        return Violation.None;
    }
}
