using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>What a parser or a framing has found, and what to do with the bytes that it has read.</summary>
internal enum StepKind : byte
{
    /// <summary>More bytes are needed before anything can be decided.</summary>
    NeedMore,

    /// <summary>These bytes belong to the message and are sent on unchanged.</summary>
    Take,

    /// <summary>These bytes have been read and are not sent on.</summary>
    Drop,

    /// <summary>The head or body is complete.</summary>
    Done,

    /// <summary>The bytes break a rule.</summary>
    Reject,
}

/// <summary>The result of a parser or framing: what to do with the next <c>Length</c> bytes, or which rule they break.</summary>
internal readonly record struct Step(StepKind Kind, int Length, Violation Violation)
{
    public static Step NeedMore => default;

    public static Step Take(int length) => new(StepKind.Take, length, Violation.None);

    public static Step Drop(int length) => new(StepKind.Drop, length, Violation.None);

    /// <summary>The head or body is complete; <see cref="Length"/> bytes of the input belong to it.</summary>
    public static Step Done(int length) => new(StepKind.Done, length, Violation.None);

    public static Step Reject(Violation violation)
    {
        Debug.Assert(violation is not Violation.None, "What is rejected breaks a rule.");
        return new(StepKind.Reject, 0, violation);
    }
}
