using System.Buffers;
using System.Text;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Methods of MCP, from all its revisions. Messages with other methods are routed too.</summary>
internal static class Methods
{
    public const string Initialize = "initialize";
    public const string Initialized = "notifications/initialized";
    public const string Ping = "ping";
    public const string Discover = "server/discover";
    public const string Listen = "subscriptions/listen";
    public const string Acknowledged = "notifications/subscriptions/acknowledged";
    public const string CallTool = "tools/call";
    public const string ListTools = "tools/list";
    public const string ToolsChanged = "notifications/tools/list_changed";
    public const string GetPrompt = "prompts/get";
    public const string ListPrompts = "prompts/list";
    public const string PromptsChanged = "notifications/prompts/list_changed";
    public const string ReadResource = "resources/read";
    public const string ListResources = "resources/list";
    public const string ListTemplates = "resources/templates/list";
    public const string Subscribe = "resources/subscribe";
    public const string Unsubscribe = "resources/unsubscribe";
    public const string ResourcesChanged = "notifications/resources/list_changed";
    public const string ResourceUpdated = "notifications/resources/updated";
    public const string Complete = "completion/complete";
    public const string SetLevel = "logging/setLevel";
    public const string Message = "notifications/message";
    public const string Progress = "notifications/progress";
    public const string Cancelled = "notifications/cancelled";
    public const string CreateMessage = "sampling/createMessage";
    public const string Elicit = "elicitation/create";
    public const string ElicitComplete = "notifications/elicitation/complete";
    public const string ListRoots = "roots/list";
    public const string RootsChanged = "notifications/roots/list_changed";
    public const string GetTask = "tasks/get";
    public const string UpdateTask = "tasks/update";
    public const string CancelTask = "tasks/cancel";

    /// <summary>Each method with its bytes, so that no new string is allocated for a known method.</summary>
    private static readonly (byte[] Bytes, string Name)[] Known =
    [
        .. new[]
        {
            CallTool, Progress, Message, Cancelled, Ping, Initialize, Initialized, Discover, Listen, Acknowledged, ListTools, ToolsChanged, GetPrompt,
            ListPrompts, PromptsChanged, ReadResource, ListResources, ListTemplates, Subscribe, Unsubscribe, ResourcesChanged, ResourceUpdated, Complete,
            SetLevel, CreateMessage, Elicit, ElicitComplete, ListRoots, RootsChanged, GetTask, UpdateTask, CancelTask,
        }.Select(name => (Encoding.ASCII.GetBytes(name), name)),
    ];

    /// <summary>Whether a method's params have a <c>name</c>, <c>uri</c> or <c>taskId</c> that says what the call is about.</summary>
    public static bool IsNamed(string method) => method
        is CallTool or GetPrompt or ReadResource or Subscribe or Unsubscribe or GetTask or UpdateTask or CancelTask;

    /// <summary>Reads the method that the reader is at.</summary>
    /// <param name="json">A reader that is at a string.</param>
    public static string Read(ref Utf8JsonReader json)
    {
        if (!json.HasValueSequence && !json.ValueIsEscaped)
        {
            foreach ((byte[] bytes, string name) in Known)
            {
                if (json.ValueSpan.SequenceEqual(bytes))
                {
                    return name;
                }
            }
        }

        string read = json.GetString()!;
        return Array.Find(Known, known => known.Name == read).Name ?? read;
    }
}
