using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Makes the HTTP header fields of a POST from the message that it carries.</summary>
internal static class RequestFields
{
    /// <summary>Makes the fields.</summary>
    /// <param name="message">A message whose bytes have not been released.</param>
    /// <param name="isOfSession">Whether the message is part of a session (revisions up to 2025-11-25). Then only its trace context is put into fields.</param>
    /// <param name="tools">Knows which arguments of which tools are sent in fields too.</param>
    /// <returns>The fields, or the reason why the message cannot be sent.</returns>
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
