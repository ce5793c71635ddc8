using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace McpProxyFast.Cli.Demo;

/// <summary>The two tools of the demo's MCP server: one answers at once, the other streams its progress.</summary>
internal static class DemoTools
{
    private const int MaxSteps = 100;
    private const int DefaultSteps = 5;

    /// <summary>The time between two steps of a count, long enough for a person to see that the proxy passes each message on at once.</summary>
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(300);

    public static JsonArray List() => new(
        Describe("echo", "Answers with the text it was given.", "text", "string", isRequired: true),
        Describe("count", "Counts slowly and streams its progress.", "steps", "integer", isRequired: false));

    /// <summary>Whether the request is answered with an event stream.</summary>
    public static bool IsStreamed(JsonObject message) => IsCallOf(message, "count");

    /// <summary>Returns the answer of the tool that answers at once; an error if the request does not call that tool correctly.</summary>
    public static JsonObject Call(JsonObject message) =>
        IsCallOf(message, "echo") && JsonRpc.FindText(message, "params", "arguments", "text") is { } text
            ? Answer(message, text)
            : JsonRpc.Error(message["id"], JsonRpc.InvalidParams, "There are the tools echo (text) and count (steps).");

    /// <summary>Returns the messages of the tool that streams: one for each step, then the answer.</summary>
    public static async IAsyncEnumerable<JsonObject> CountAsync(JsonObject message, [EnumeratorCancellation] CancellationToken stopping)
    {
        int steps = JsonRpc.Find(message, "params", "arguments", "steps") is JsonValue value && value.TryGetValue(out int given)
            ? Math.Clamp(given, 1, MaxSteps)
            : DefaultSteps;
        JsonNode? token = JsonRpc.Find(message, "params", "_meta", "progressToken");
        for (int step = 1; step <= steps; step++)
        {
            // Progress is sent even if the request has no progress token, since the demo is meant to show a stream.
            yield return JsonRpc.Notification("notifications/progress", new JsonObject
            {
                ["progressToken"] = token?.DeepClone() ?? "demo",
                ["progress"] = step,
                ["total"] = steps,
            });
            await Task.Delay(StepTime, stopping);
        }

        yield return Answer(message, $"counted to {steps}");
    }

    private static bool IsCallOf(JsonObject message, string tool) =>
        JsonRpc.FindText(message, "method") == "tools/call" && JsonRpc.FindText(message, "params", "name") == tool;

    private static JsonObject Answer(JsonObject message, string text) => DemoMethods.Complete(message["id"], new JsonObject
    {
        ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }),
    });

    private static JsonObject Describe(string name, string description, string argument, string type, bool isRequired) => new()
    {
        ["name"] = name,
        ["description"] = description,
        ["inputSchema"] = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { [argument] = new JsonObject { ["type"] = type } },
            ["required"] = isRequired ? new JsonArray(argument) : [],
        },
    };
}
