using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>The tools of the test server: one for each kind of traffic that a tool can cause.</summary>
[McpServerToolType]
public sealed class ServerTools(Journal journal, Resumption resumption)
{
    [McpServerTool(Name = "echo"), Description("Answers with the text it was given.")]
    public static string Echo(string text) => text;

    [McpServerTool(Name = "count"), Description("Reports progress for each step before it answers.")]
    public static async Task<string> Count(RequestContext<CallToolRequestParams> request, int steps, CancellationToken cancellation)
    {
        for (int step = 1; step <= steps; step++)
        {
            var value = new ProgressNotificationValue { Progress = step, Total = steps };
            await request.Server.NotifyProgressAsync(request.Params!.ProgressToken!.Value, value, cancellationToken: cancellation);
        }

        return $"counted to {steps}";
    }

    [McpServerTool(Name = "wait"), Description("Waits until it is cancelled.")]
    public async Task<string> Wait(CancellationToken cancellation)
    {
        journal.Add("wait began");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        }
        finally
        {
            journal.Add("wait was cancelled");
        }

        return "never";
    }

    [McpServerTool(Name = "touch"), Description("Says that a resource has changed.")]
    public static async Task<string> Touch(McpServer server, string uri, CancellationToken cancellation)
    {
        var changed = new ResourceUpdatedNotificationParams { Uri = uri };
        await server.SendNotificationAsync(NotificationMethods.ResourceUpdatedNotification, changed, cancellationToken: cancellation);
        return "touched";
    }

    [McpServerTool(Name = "log"), Description("Sends a log message to the client.")]
    public static async Task<string> Log(McpServer server, string message, CancellationToken cancellation)
    {
        var record = new LoggingMessageNotificationParams
        {
            Level = LoggingLevel.Warning,
            Data = System.Text.Json.JsonSerializer.SerializeToElement(message),
        };
        await server.SendNotificationAsync(NotificationMethods.LoggingMessageNotification, record, cancellationToken: cancellation);
        return "logged";
    }

    [McpServerTool(Name = "sample"), Description("Asks the client's model.")]
    public static async Task<string> Sample(McpServer server, string question, CancellationToken cancellation)
    {
        var request = new CreateMessageRequestParams
        {
            MaxTokens = 10,
            Messages = [new SamplingMessage { Role = Role.User, Content = [new TextContentBlock { Text = question }] }],
        };
        CreateMessageResult answer = await server.SampleAsync(request, cancellation);
        return answer.Content.OfType<TextContentBlock>().Single().Text;
    }

    [McpServerTool(Name = "ask"), Description("Asks the client's user.")]
    public static async Task<string> Ask(McpServer server, string question, CancellationToken cancellation)
    {
        ElicitResult answer = await server.ElicitAsync(new ElicitRequestParams { Message = question, RequestedSchema = new() }, cancellation);
        return answer.Action;
    }

    [McpServerTool(Name = "roots"), Description("Asks for the client's roots.")]
    public static async Task<string> Roots(McpServer server, CancellationToken cancellation)
    {
        ListRootsResult roots = await server.RequestRootsAsync(new ListRootsRequestParams(), cancellation);
        return roots.Roots.Single().Uri;
    }

    [McpServerTool(Name = "confirm"), Description("Asks the client's user without keeping a stream open: answers with what it needs, and is called again.")]
    public static string Confirm(RequestContext<CallToolRequestParams> request) =>
        request.Params!.InputResponses is { } answers
            ? answers["sure"].Deserialize(InputResponse.ElicitResultJsonTypeInfo)!.Action
            : throw new InputRequiredException(new Dictionary<string, InputRequest>
            {
                ["sure"] = InputRequest.ForElicitation(new ElicitRequestParams { Message = "sure?", RequestedSchema = new() }),
            });

    [McpServerTool(Name = "later"), Description("Ends its stream and answers once the client has come back for the rest of it.")]
    public async Task<string> Later(RequestContext<CallToolRequestParams> request, CancellationToken cancellation)
    {
        await request.EnablePollingAsync(TimeSpan.FromMilliseconds(10), cancellation);
        await resumption.Asked.WaitAsync(cancellation);
        return "here it is";
    }
}
