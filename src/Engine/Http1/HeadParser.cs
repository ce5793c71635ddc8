using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>Reads heads line by line: start line, field lines, empty line. One parser for both directions.</summary>
/// <remarks>RFC 9112 §2.1. A line ends with CRLF and with nothing else. Anything unclear is rejected, not repaired.</remarks>
internal static class HeadParser
{
    /// <summary>Continues to parse <paramref name="head"/> with the bytes that <see cref="MessageHead.SetBytes"/> was given.</summary>
    /// <returns>Done with the length of the head; NeedMore; or Reject. After NeedMore, the next call reads the unfinished line again from its start.</returns>
    public static Step Parse(MessageHead head, in HeadLimits limits)
    {
        // Bytes beyond the limit are not parsed, so that the same violation is found first, however the input is split.
        Debug.Assert(limits.MaxHeadBytes <= ushort.MaxValue, "Every offset fits in 16 bits.");
        Debug.Assert(head.Length == 0, "Not to be called once complete.");
        ReadOnlySpan<byte> received = head.Bytes.Span;
        bool isFull = received.Length >= limits.MaxHeadBytes;
        Step step = ParseLines(head, isFull ? received[..limits.MaxHeadBytes] : received, limits);
        head.RememberParsed();
        return step.Kind is StepKind.NeedMore && isFull ? Step.Reject(Violation.HeadTooLarge) : step;
    }

    private static Step ParseLines(MessageHead head, ReadOnlySpan<byte> received, in HeadLimits limits)
    {
        if (head.FieldsStart == 0)
        {
            Step startLine = TakeStartLine(head, received, limits);
            if (startLine.Kind is not StepKind.Take)
            {
                return startLine;
            }
        }

        while (true)
        {
            Step line = TakeFieldLine(head, received, limits);
            if (line.Kind is not StepKind.Take)
            {
                return line;
            }

            head.Parsed += line.Length;
        }
    }

    private static Step TakeStartLine(MessageHead head, ReadOnlySpan<byte> received, in HeadLimits limits)
    {
        Step end = FindLineEnd(received, out int length);
        if (end.Kind is StepKind.NeedMore)
        {
            return received.Length > limits.MaxStartLineBytes + 2 ? RejectTooLong(head, received, limits) : end;
        }

        if (length > limits.MaxStartLineBytes)
        {
            return RejectTooLong(head, received, limits);
        }

        if (end.Kind is StepKind.Reject)
        {
            return end;
        }

        Violation violation = head.TakeStartLine(received[..length]);
        if (violation is not Violation.None)
        {
            return Step.Reject(violation);
        }

        head.Parsed = length + 2;
        return Step.Take(length + 2);
    }

    private static Step RejectTooLong(MessageHead head, ReadOnlySpan<byte> received, in HeadLimits limits) =>
        Step.Reject(head.FaultOfLongStartLine(received[..limits.MaxStartLineBytes]));

    /// <summary>Reads a line of the form <c>field-line = field-name ":" OWS field-value OWS</c>, RFC 9112 §5, or the empty line that ends the head.</summary>
    private static Step TakeFieldLine(MessageHead head, ReadOnlySpan<byte> received, in HeadLimits limits)
    {
        ReadOnlySpan<byte> rest = received[head.Parsed..];
        int nameLength = rest.IndexOfAnyExcept(Grammar.TokenBytes);
        if (nameLength <= 0)
        {
            return nameLength < 0 ? Step.NeedMore : TakeNameless(head, rest, limits);
        }

        // White space before the colon is rejected (§5.1). If it were accepted here, a stricter upstream could read another field than the proxy, which allows
        // request smuggling.
        if (rest[nameLength] != (byte)':')
        {
            return Step.Reject(Violation.FieldNameInvalid);
        }

        ReadOnlySpan<byte> padded = rest[(nameLength + 1)..];
        Step end = FindLineEnd(padded, out int paddedLength);
        if (end.Kind is not StepKind.Take)
        {
            return end;
        }

        if (head.Fields.Count == limits.MaxFields)
        {
            return Step.Reject(Violation.TooManyFields);
        }

        padded = padded[..paddedLength];
        ReadOnlySpan<byte> value = padded.TrimStart(Grammar.Blanks);
        int valueStart = head.Parsed + nameLength + 1 + padded.Length - value.Length;
        value = value.TrimEnd(Grammar.Blanks);
        head.Fields.Add(new FieldSlot
        {
            LineStart = (ushort)head.Parsed,
            NameLength = (ushort)nameLength,
            ValueStart = (ushort)valueStart,
            ValueLength = (ushort)value.Length,
            Known = KnownFields.Identify(rest[..nameLength]),
        });
        return Step.Take(nameLength + 1 + paddedLength + 2);
    }

    /// <summary>Handles a line that does not start with a token: it is the empty line that ends the head, or breaks a rule.</summary>
    private static Step TakeNameless(MessageHead head, ReadOnlySpan<byte> rest, in HeadLimits limits)
    {
        if (rest is [(byte)'\r'])
        {
            return Step.NeedMore;
        }

        if (rest is [(byte)'\r', (byte)'\n', ..])
        {
            int length = head.Parsed + 2;
            Violation violation = head.Complete(length, limits.Body);
            return violation is Violation.None ? Step.Done(length) : Step.Reject(violation);
        }

        return Step.Reject(rest[0] switch
        {
            (byte)' ' or (byte)'\t' => Violation.FieldFolded,
            (byte)'\r' or (byte)'\n' => Violation.LineEndInvalid,
            _ => Violation.FieldNameInvalid,
        });
    }

    /// <summary>Finds the CRLF that ends the line. Any other control byte but HTAB is rejected, also a CR or LF alone.</summary>
    /// <param name="input">The line and what follows it.</param>
    /// <param name="length">The line's length without its CRLF. If the end is not in the input yet, the length so far.</param>
    private static Step FindLineEnd(ReadOnlySpan<byte> input, out int length)
    {
        length = input.IndexOfAny(Grammar.ControlBytes);
        if (length < 0)
        {
            length = input.Length;
            return Step.NeedMore;
        }

        if (input[length] != (byte)'\r')
        {
            return Step.Reject(input[length] == (byte)'\n' ? Violation.LineEndInvalid : Violation.FieldValueInvalid);
        }

        if (length + 1 == input.Length)
        {
            return Step.NeedMore;
        }

        return input[length + 1] == (byte)'\n' ? Step.Take(length + 2) : Step.Reject(Violation.LineEndInvalid);
    }
}
