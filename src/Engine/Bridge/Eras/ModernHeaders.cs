using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>The HTTP headers that repeat parts of a message in its POST (revision 2026-07-28, Streamable HTTP, "Request Metadata").</summary>
internal static class ModernHeaders
{
    public const string Version = "MCP-Protocol-Version";
    public const string Method = "Mcp-Method";
    public const string Name = "Mcp-Name";
    public const string ParameterPrefix = "Mcp-Param-";

    /// <summary>Makes the headers for a request or notification.</summary>
    /// <param name="head">The message's head.</param>
    /// <param name="message">The message. The arguments of a tool call are read from it.</param>
    /// <param name="tools">Says which arguments of which tools are sent in headers too.</param>
    public static HeaderFields For(RpcHead head, in ReadOnlySequence<byte> message, ToolList tools)
    {
        string version = head.ProtocolVersion ?? Revisions.Modern;
        if (!HeaderText.IsPlain(version))
        {
            return Fault("The protocolVersion in the message's _meta is not an MCP revision such as 2026-07-28.");
        }

        // Unlike Mcp-Name, the header Mcp-Method has no encoding for other characters.
        if (!HeaderText.IsPlain(head.Method))
        {
            return Fault("The message's method has characters that the header Mcp-Method cannot carry. Use visible ASCII.");
        }

        List<HeaderField> fields = [new(Version, version), new(Method, head.Method)];
        if (IsNamed(head.Method))
        {
            if (head.Name is not { } name)
            {
                string wanted = $"name, uri or taskId must be a string of at most {MessageScanner.MaxTextBytes} bytes";
                return Fault($"The params of {head.Method} do not say what the call is about: {wanted}.");
            }

            fields.Add(new HeaderField(Name, HeaderText.Encode(name)));
        }

        if (head.Method is Methods.CallTool && tools.Find(head.Name!) is { } parameters
            && ArgumentReader.Read(parameters, message, fields) is { } fault)
        {
            return Fault(fault);
        }

        TraceHeaders.Add(head, fields);
        return new HeaderFields(fields, null);
    }

    /// <summary>Whether requests of a method carry <c>Mcp-Name</c>.</summary>
    private static bool IsNamed(string method) => method
        is Methods.CallTool or Methods.GetPrompt or Methods.ReadResource
        or Methods.GetTask or Methods.UpdateTask or Methods.CancelTask;

    private static HeaderFields Fault(string sentence) => new([], sentence);
}
