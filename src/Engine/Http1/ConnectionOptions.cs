using System.Text;

namespace McpProxyFast.Http1;

/// <summary>Reads <c>Connection</c>: whether the sender keeps the connection open, and which fields are meant for this hop only.</summary>
/// <remarks>RFC 9110 §7.6.1. Framing fields and <c>Host</c> stay valid even if they are named here: to remove them would allow request smuggling.</remarks>
internal static class ConnectionOptions
{
    /// <summary>
    /// The maximum number of options in one head; a head with more is rejected. The limit is needed because each option is compared with each field.
    /// </summary>
    private const int MaxOptions = 32;

    public static Violation Read(MessageHead head, out bool close, out bool keepAlive)
    {
        close = false;
        keepAlive = false;
        if (!head.Fields.Has(KnownField.Connection))
        {
            return Violation.None;
        }

        int options = 0;
        foreach (ref FieldSlot slot in head.Fields.Slots)
        {
            if (slot.Known is not KnownField.Connection)
            {
                continue;
            }

            ReadOnlySpan<byte> list = head.Value(slot);
            foreach (Range part in list.Split((byte)','))
            {
                ReadOnlySpan<byte> option = Grammar.TrimBlanks(list[part]);
                if (option.IsEmpty)
                {
                    continue;
                }

                if (++options > MaxOptions || option.ContainsAnyExcept(Grammar.TokenBytes))
                {
                    return Violation.ConnectionOptionsInvalid;
                }

                close |= Ascii.EqualsIgnoreCase(option, "close"u8);
                keepAlive |= Ascii.EqualsIgnoreCase(option, "keep-alive"u8);
                MarkNamed(head, option);
            }
        }

        return Violation.None;
    }

    private static void MarkNamed(MessageHead head, ReadOnlySpan<byte> option)
    {
        foreach (ref FieldSlot slot in head.Fields.Slots)
        {
            if (slot.Known is not (KnownField.Host or KnownField.ContentLength or KnownField.TransferEncoding)
                && Ascii.EqualsIgnoreCase(head.Name(slot), option))
            {
                slot.ThisHopOnly = true;
            }
        }
    }
}
