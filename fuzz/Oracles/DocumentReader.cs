using System.Text.Json;
using System.Text.Unicode;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>What a JSON-RPC message is, told from a <see cref="JsonDocument"/>: the rules of the scanner once more, over objects.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Method">Its method; empty where it has none.</param>
/// <param name="Id">Its id as raw JSON; null where it has none.</param>
/// <param name="Revision">The revision that its <c>_meta</c> says; null where that is not a string. Of <c>initialize</c> it is not asked.</param>
internal sealed record DocumentReader(MessageKind Kind, string Method, string? Id, string? Revision)
{
    private static readonly string[] Known = ["jsonrpc", "id", "method", "params", "result", "error"];

    private static readonly string[] Roles = ["method", "result", "error"];

    private static readonly DocumentReader Broken = new(MessageKind.Broken, "", null, null);

    /// <summary>Reads a message.</summary>
    /// <param name="message">Any bytes.</param>
    /// <returns>Null where texts in it are not Unicode: then readers differ, and nothing is claimed.</returns>
    public static DocumentReader? Read(byte[] message)
    {
        if (!Utf8.IsValid(message))
        {
            return Broken;
        }

        try
        {
            using var document = JsonDocument.Parse(message, new JsonDocumentOptions { MaxDepth = MessageScanner.MaxDepth });
            return document.RootElement.ValueKind switch
            {
                JsonValueKind.Array when document.RootElement.GetArrayLength() > 0 => new DocumentReader(MessageKind.Batch, "", null, null),
                JsonValueKind.Object => Read(document.RootElement),
                _ => Broken,
            };
        }
        catch (JsonException)
        {
            return Broken;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static DocumentReader Read(JsonElement message)
    {
        JsonProperty[] members = [.. message.EnumerateObject()];
        bool isTwice = Known.Any(name => members.Count(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase)) > 1
            || members.Any(member => member.Name != name && string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase)));
        JsonElement? parameters = Object(members, "params");
        bool isInnerTwice = IsTwice(parameters, "name", "uri", "_meta", "progressToken", "requestId", "protocolVersion", "taskId")
            || IsTwice(Object(parameters, "_meta"), "progressToken", "traceparent", "tracestate", "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/subscriptionId")
            || IsTwice(Object(members, "result"), "resultType")
            || IsTwice(Object(members, "error"), "code");
        Touch(parameters, "name", "uri", "taskId", "protocolVersion", "progressToken", "requestId");
        Touch(Object(parameters, "_meta"), "progressToken", "traceparent", "tracestate", "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/subscriptionId");
        Touch(Object(members, "result"), "resultType");
        JsonElement? id = Member(members, "id");
        JsonElement? method = Member(members, "method");
        int roles = Roles.Count(name => Member(members, name) is not null);
        bool isId = id is { ValueKind: JsonValueKind.Number } || (id is { ValueKind: JsonValueKind.String } && id.Value.GetString() is not null);
        bool isIdFit = id is null ? Member(members, "result") is null : isId || (id is { ValueKind: JsonValueKind.Null } && Member(members, "error") is not null);
        bool isNumberFit = id is not { ValueKind: JsonValueKind.Number } || id.Value.TryGetDecimal(out _);
        bool isShort = (id?.GetRawText().Length ?? 0) <= MessageScanner.MaxTextBytes && (method?.GetRawText().Length ?? 0) <= MessageScanner.MaxTextBytes;
        bool isMethod = method is null || (method is { ValueKind: JsonValueKind.String } && method.Value.GetString()!.Length > 0);
        bool is2 = Member(members, "jsonrpc") is { ValueKind: JsonValueKind.String } version && version.GetString() == "2.0";
        if (isTwice || isInnerTwice || roles != 1 || !isIdFit || !isNumberFit || !isShort || !isMethod || !is2)
        {
            return Broken;
        }

        MessageKind kind = method is not null ? (isId ? MessageKind.Request : MessageKind.Notification)
            : Member(members, "result") is not null ? MessageKind.Response
            : MessageKind.ErrorResponse;
        JsonElement? revision = Object(parameters, "_meta") is { } meta ? Member([.. meta.EnumerateObject()], "io.modelcontextprotocol/protocolVersion") : null;
        return new DocumentReader(
            kind, method?.GetString() ?? "", isId ? id!.Value.GetRawText() : null, revision is { ValueKind: JsonValueKind.String } said ? said.GetString() : null);
    }

    /// <summary>Reads the texts that a head has, which throws where one is not Unicode.</summary>
    private static void Touch(JsonElement? json, params string[] names)
    {
        foreach (JsonProperty member in json is { } found ? found.EnumerateObject() : default)
        {
            _ = names.Contains(member.Name) && member.Value.ValueKind is JsonValueKind.String ? member.Value.GetString() : null;
        }
    }

    private static bool IsTwice(JsonElement? json, params string[] names) =>
        json is { } found && names.Any(name => found.EnumerateObject().Count(member => member.Name == name) > 1);

    private static JsonElement? Object(JsonElement? json, string name) => json is { } found ? Object([.. found.EnumerateObject()], name) : null;

    private static JsonElement? Object(JsonProperty[] members, string name) =>
        Member(members, name) is { ValueKind: JsonValueKind.Object } found ? found : null;

    private static JsonElement? Member(JsonProperty[] members, string name)
    {
        int index = Array.FindIndex(members, member => member.Name == name);
        return index < 0 ? null : members[index].Value;
    }
}
