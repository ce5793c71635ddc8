namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>Messages as clients and servers write them.</summary>
internal static class Lines
{
    public const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";

    public static string Initialize(string version = "2025-11-25") =>
        $$$$"""{"jsonrpc":"2.0","id":"hand","method":"initialize","params":{"protocolVersion":"{{{{version}}}}","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""";

    public static string Welcome(string version = "2025-11-25") =>
        $$$$"""{"jsonrpc":"2.0","id":"hand","result":{"protocolVersion":"{{{{version}}}}","capabilities":{"tools":{"listChanged":true},"prompts":{}},"serverInfo":{"name":"s","version":"1"}}}""";

    public static string Call(string id, string tool = "echo") =>
        $$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"tools/call","params":{"name":"{{{tool}}}"}}""";

    public static string ModernCall(string id, string tool = "echo") =>
        $$$$"""{"jsonrpc":"2.0","id":{{{{id}}}},"method":"tools/call","params":{"name":"{{{{tool}}}}","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}""";

    public static string Result(string id, string text = "ok") => $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{"text":"{{{text}}}"}}""";
}
