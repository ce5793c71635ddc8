using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>The field lines that are made from a message.</summary>
internal static class RequestFields
{
    /// <summary>Makes them.</summary>
    /// <param name="message">Its bytes have not been released.</param>
    /// <param name="isOfSession">It belongs to a session, or begins one: such revisions have no fields of the message's own.</param>
    /// <param name="tools">What is known of tools.</param>
    /// <returns>The fields; or why the message cannot be sent.</returns>
    public static HeaderFields For(ClientMessage message, bool isOfSession, ToolList tools)
    {
        if (!isOfSession && message.Head is { ProtocolVersion: not null, IsCall: true, Method: not Methods.Initialize })
        {
            return ModernHeaders.For(message.Head, message.Bytes, tools);
        }

        List<HeaderField> fields = [];
        TraceHeaders.Add(message.Head, fields);
        return new HeaderFields(fields, null);
    }

    public static void Add(HttpRequestMessage request, HeaderFields fields)
    {
        foreach (HeaderField field in fields.Fields)
        {
            request.Headers.TryAddWithoutValidation(field.Name, field.Value);
        }
    }
}
