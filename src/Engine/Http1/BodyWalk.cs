using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Http1;

/// <summary>Walks over received bytes that belong to one body, and finds the runs of adjacent bytes that are to be sent on.</summary>
/// <remarks>
/// The only loop over <see cref="BodyFraming.Next"/>. Use it as <c>while (walk.MoveNext())</c>; each call finds one run. A walk over the next bytes continues
/// where this walk stops.
/// </remarks>
internal ref struct BodyWalk
{
    private readonly ref BodyFraming _framing;
    private readonly ReadOnlySpan<byte> _input;

    /// <param name="framing">The body's framing, which records how far the body has been read.</param>
    /// <param name="input">The received bytes that follow those of the last walk.</param>
    public BodyWalk(ref BodyFraming framing, ReadOnlySpan<byte> input)
    {
        _framing = ref framing;
        _input = input;
    }

    /// <summary>How many bytes of the input belong to the body so far, both those to send and those to drop.</summary>
    public int Length { get; private set; }

    /// <summary>Where the run that <see cref="MoveNext"/> found starts in the input.</summary>
    public int RunStart { get; private set; }

    /// <summary>The length in bytes of the run that <see cref="MoveNext"/> found. Two runs never touch: between them some bytes are dropped.</summary>
    public int RunLength { get; private set; }

    /// <summary>The rule that the bytes break at <see cref="Length"/>; None if they break none. A violation ends the walk.</summary>
    public Violation Violation { get; private set; }

    /// <summary>Finds the next run.</summary>
    /// <returns>False if the input or the body has ended, or the framing is broken. Then the bytes after the last run that was found are not sent on.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        Debug.Assert(Violation is Violation.None, "Nothing follows a broken framing.");
        int length = Length; // local variables are faster: the loop keeps them in registers
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

    /// <summary>Walks over the input to the end of the body, or to the end of the input. The runs are not needed.</summary>
    /// <param name="framing">The body's framing.</param>
    /// <param name="input">The received bytes that follow those of the last walk.</param>
    /// <param name="length">How many bytes of the input belong to the body.</param>
    /// <returns>The rule that the bytes break; None if they break none.</returns>
    public static Violation ToEnd(ref BodyFraming framing, in ReadOnlySequence<byte> input, out long length)
    {
        length = 0;
        foreach (ReadOnlyMemory<byte> segment in input)
        {
            var walk = new BodyWalk(ref framing, segment.Span);
            while (walk.MoveNext())
            {
                // Only the walk to the end is needed, not the runs that it finds.
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
