using System.Text.Json.Nodes;
using System.Threading.Channels;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>Keeps every progress notification of a call, also those that the client handles after the answer.</summary>
public sealed class ProgressRecorder : IAsyncDisposable
{
    private const string Token = "progress of the call";

    private readonly McpClient _client;
    private readonly IAsyncDisposable _listening;
    private readonly Channel<int> _steps = Channel.CreateUnbounded<int>();

    public ProgressRecorder(McpClient client)
    {
        _client = client;
        _listening = client.RegisterNotificationHandler(NotificationMethods.ProgressNotification, (notification, _) =>
        {
            if (notification.Params?["progressToken"]?.GetValue<string>() == Token)
            {
                _steps.Writer.TryWrite(notification.Params["progress"]!.GetValue<int>());
            }

            return ValueTask.CompletedTask;
        });
    }

    public ValueTask DisposeAsync() => _listening.DisposeAsync();

    /// <summary>Calls a tool that reports <paramref name="steps"/> steps.</summary>
    public async Task CallAsync(string tool, int steps) =>
        await _client.SendRequestAsync(new JsonRpcRequest
        {
            Method = RequestMethods.ToolsCall,
            Params = new JsonObject
            {
                ["name"] = tool,
                ["arguments"] = new JsonObject { ["steps"] = steps },
                ["_meta"] = new JsonObject { ["progressToken"] = Token },
            },
        });

    /// <summary>The first <paramref name="count"/> steps, sorted: the client hands notifications on side by side.</summary>
    public async Task<List<int>> StepsAsync(int count)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        var steps = new List<int>();
        while (steps.Count < count)
        {
            steps.Add(await _steps.Reader.ReadAsync(patience.Token));
        }

        steps.Sort();
        return steps;
    }
}
