using System.Diagnostics;
using System.Text;

namespace McpProxyFast.Http1;

/// <summary>Reads <c>Keep-Alive: timeout=5, max=100</c>: how long a server keeps an idle connection open.</summary>
/// <remarks>
/// RFC 2068 §19.7.1.1 has the field and leaves its parameters open; <c>timeout</c>, in whole seconds, is what servers send (node, Apache httpd). A hint, so
/// what is malformed is passed over, and of several the shortest counts.
/// </remarks>
internal static class KeepAliveField
{
    /// <summary>Nothing is said.</summary>
    public const int NotSaid = -1;

    /// <summary>Longer times are taken for this one: a day.</summary>
    private const int Longest = 86_400;

    /// <summary>The seconds of the timeout; <see cref="NotSaid"/> if there is none. Allocates nothing.</summary>
    public static int TimeoutOf(MessageHead head)
    {
        Debug.Assert(head.Length > 0, "The head is complete.");
        int least = NotSaid;
        foreach (ref FieldSlot slot in head.Fields.Slots)
        {
            if (slot.Known is not KnownField.KeepAlive)
            {
                continue;
            }

            ReadOnlySpan<byte> parameters = head.Value(slot);
            foreach (Range part in parameters.Split((byte)','))
            {
                int seconds = SecondsOf(parameters[part]);
                least = seconds != NotSaid && (least == NotSaid || seconds < least) ? seconds : least;
            }
        }

        return least;
    }

    private static int SecondsOf(ReadOnlySpan<byte> parameter)
    {
        int equals = parameter.IndexOf((byte)'=');
        if (equals < 0 || !Ascii.EqualsIgnoreCase(Grammar.TrimBlanks(parameter[..equals]), "timeout"u8))
        {
            return NotSaid;
        }

        ReadOnlySpan<byte> digits = Grammar.TrimBlanks(parameter[(equals + 1)..]);
        if (digits.IsEmpty || digits.ContainsAnyExcept(Grammar.Digits))
        {
            return NotSaid;
        }

        int seconds = 0;
        foreach (byte digit in digits)
        {
            seconds = Math.Min((seconds * 10) + digit - '0', Longest);
        }

        return seconds;
    }
}
