using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>What a parser or a framing says about the bytes it was given.</summary>
internal enum StepKind : byte
{
    /// <summary>Nothing can be said before more bytes come.</summary>
    NeedMore,

    /// <summary>These bytes belong to the message and go on as they stand.</summary>
    Take,

    /// <summary>These bytes are understood and go no further.</summary>
    Drop,

    /// <summary>The message part ends here.</summary>
    Done,

    /// <summary>The bytes break a rule.</summary>
    Reject,
}

/// <summary>The one result of this folder: what to do with how many bytes, or which rule they break.</summary>
internal readonly record struct Step(StepKind Kind, int Length, Violation Violation)
{
    public static Step NeedMore => default;

    public static Step Take(int length) => new(StepKind.Take, length, Violation.None);

    public static Step Drop(int length) => new(StepKind.Drop, length, Violation.None);

    /// <summary>The part is complete; <see cref="Length"/> bytes of the input belong to it.</summary>
    public static Step Done(int length) => new(StepKind.Done, length, Violation.None);

    public static Step Reject(Violation violation)
    {
        Debug.Assert(violation is not Violation.None, "What is rejected breaks a rule.");
        return new(StepKind.Reject, 0, violation);
    }
}
