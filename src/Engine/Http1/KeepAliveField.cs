using System.Diagnostics;
using System.Text;

namespace McpProxyFast.Http1;

/// <summary>Reads <c>Keep-Alive: timeout=5, max=100</c>: how long a server keeps an idle connection open.</summary>
/// <remarks>
/// RFC 2068 §19.7.1.1 defines the field without its parameters. Servers send <c>timeout</c> in whole seconds (node, Apache httpd). The field is only a hint, so
/// a malformed value is ignored, and the shortest of several values counts.
/// </remarks>
internal static class KeepAliveField
{
    /// <summary>The server has not sent a timeout.</summary>
    public const int NotSaid = -1;

    /// <summary>The longest timeout that is returned: one day, in seconds. A longer one counts as one day.</summary>
    private const int Longest = 86_400;

    /// <summary>Returns the timeout in seconds; <see cref="NotSaid"/> if the head has none. Allocates nothing.</summary>
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
