using McpProxyFast.Outcomes;

namespace McpProxyFast.Http1;

/// <summary>Reads heads line by line: start line, field lines, empty line. One parser for both directions.</summary>
/// <remarks>RFC 9112 §2.1. A line ends in CRLF and in nothing else; what is not plain is refused, not repaired.</remarks>
internal static class HeadParser
{
    /// <summary>Goes on reading <paramref name="head"/> over the bytes it was last shown.</summary>
    /// <returns>Done with the head's length; NeedMore; or Reject. On NeedMore the unfinished line is read again from its start.</returns>
    public static Step Parse(MessageHead head, in HeadLimits limits)
    {
        // Bytes behind the limit are not looked at: so the same rule is broken first, however the input is cut.
        ReadOnlySpan<byte> received = head.Bytes.Span;
        bool isFull = received.Length >= limits.MaxHeadBytes;
        Step step = ParseLines(head, isFull ? received[..limits.MaxHeadBytes] : received, limits);
        return step.Kind is StepKind.NeedMore && isFull ? Step.Reject(RefusalReason.HeadTooLarge) : step;
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
            return received.Length > limits.MaxStartLineBytes + 2 ? RejectTooLong(received, limits) : end;
        }

        if (length > limits.MaxStartLineBytes)
        {
            return RejectTooLong(received, limits);
        }

        if (end.Kind is StepKind.Reject)
        {
            return end;
        }

        RefusalReason refused = head.TakeStartLine(received[..length]);
        if (refused is not RefusalReason.None)
        {
            return Step.Reject(refused);
        }

        head.Parsed = length + 2;
        return Step.Take(length + 2);
    }

    /// <summary>Without a space as far as the limit goes it is not a target that is too long.</summary>
    private static Step RejectTooLong(ReadOnlySpan<byte> received, in HeadLimits limits) =>
        Step.Reject(received[..limits.MaxStartLineBytes].Contains((byte)' ') ? RefusalReason.TargetTooLong : RefusalReason.RequestLineInvalid);

    /// <summary><c>field-line = field-name ":" OWS field-value OWS</c>, RFC 9112 §5; or the empty line that ends the head.</summary>
    private static Step TakeFieldLine(MessageHead head, ReadOnlySpan<byte> received, in HeadLimits limits)
    {
        ReadOnlySpan<byte> rest = received[head.Parsed..];
        int nameLength = rest.IndexOfAnyExcept(Grammar.TokenBytes);
        if (nameLength <= 0)
        {
            return nameLength < 0 ? Step.NeedMore : TakeNameless(head, rest);
        }

        // No white space before the colon (§5.1): a lenient reader here and a strict one upstream
        // disagree on which field this is, and that disagreement is request smuggling.
        if (rest[nameLength] != (byte)':')
        {
            return Step.Reject(RefusalReason.FieldNameInvalid);
        }

        ReadOnlySpan<byte> padded = rest[(nameLength + 1)..];
        Step end = FindLineEnd(padded, out int paddedLength);
        if (end.Kind is not StepKind.Take)
        {
            return end;
        }

        if (head.Fields.Count == limits.MaxFields)
        {
            return Step.Reject(RefusalReason.TooManyFields);
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

    /// <summary>A line that does not start with a token: the empty line, or something to refuse.</summary>
    private static Step TakeNameless(MessageHead head, ReadOnlySpan<byte> rest)
    {
        if (rest is [(byte)'\r'])
        {
            return Step.NeedMore;
        }

        if (rest is [(byte)'\r', (byte)'\n', ..])
        {
            int length = head.Parsed + 2;
            RefusalReason refused = head.Complete(length);
            return refused is RefusalReason.None ? Step.Done(length) : Step.Reject(refused);
        }

        return Step.Reject(rest[0] switch
        {
            (byte)' ' or (byte)'\t' => RefusalReason.FieldFolded,
            (byte)'\r' or (byte)'\n' => RefusalReason.LineEndInvalid,
            _ => RefusalReason.FieldNameInvalid,
        });
    }

    /// <summary>Finds the CRLF that ends the line; any other control byte on the way, a bare CR or LF among them, is refused.</summary>
    /// <param name="input">The line and what follows it.</param>
    /// <param name="length">The line's length without its CRLF, as far as it is known.</param>
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
            return Step.Reject(input[length] == (byte)'\n' ? RefusalReason.LineEndInvalid : RefusalReason.FieldValueInvalid);
        }

        if (length + 1 == input.Length)
        {
            return Step.NeedMore;
        }

        return input[length + 1] == (byte)'\n' ? Step.Take(length + 2) : Step.Reject(RefusalReason.LineEndInvalid);
    }
}
