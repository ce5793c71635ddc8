using System.ComponentModel;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using McpProxyFast.Mcp.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>The official SDK's server of revision 2026-07-28 alone: it refuses handshakes, and checks headers against messages.</summary>
internal sealed class ModernServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ModernServer(WebApplication app) => _app = app;

    public Uri Endpoint => new(new Uri(_app.Urls.Single()), "/mcp");

    public Journal Journal => _app.Services.GetRequiredService<Journal>();

    public static async Task<ModernServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<Journal>().AddSingleton<Resumption>().AddSingleton<Changes>();
        builder.Services
            .AddMcpServer(options =>
            {
                options.ProtocolVersion = Revision.Stateless;
                options.Capabilities = new ServerCapabilities
                {
                    Tools = new ToolsCapability { ListChanged = true },
                    Resources = new ResourcesCapability { Subscribe = true },
                };
                options.Handlers.SubscriptionsListenHandler = ListenAsync;
            })
            .WithHttpTransport(options => options.SessionMode = HttpServerSessionMode.Stateless)
            .WithTools<ServerTools>()
            .WithTools<ModernTools>()
            .WithResources<ServerContents>()
            .WithPrompts<ServerContents>()
            .WithCompleteHandler((request, _) => ValueTask.FromResult(
                new CompleteResult { Completion = new Completion { Values = [request.Params!.Argument.Value + "da"] } }));
        WebApplication app = builder.Build();
        app.MapMcp("/mcp");
        await app.StartAsync();
        return new ModernServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    /// <summary>Acknowledges all that is asked for, and tells of changes until the stream is closed.</summary>
    private static async ValueTask<EmptyResult> ListenAsync(RequestContext<SubscriptionsListenRequestParams> request, CancellationToken cancellation)
    {
        JsonNode id = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(request.JsonRpcRequest.Id, McpJsonUtilities.DefaultOptions))!;
        JsonNode wanted = request.JsonRpcRequest.Params!["notifications"]!;
        Channel<JsonRpcNotification> changes = request.Services!.GetRequiredService<Changes>().Listen();
        Journal journal = request.Services!.GetRequiredService<Journal>();
        await TellAsync(NotificationMethods.SubscriptionsAcknowledgedNotification, new JsonObject { ["notifications"] = wanted.DeepClone() });
        journal.Add($"listening for {wanted.ToJsonString()}");
        try
        {
            await foreach (JsonRpcNotification change in changes.Reader.ReadAllAsync(cancellation))
            {
                await TellAsync(change.Method, (JsonObject?)change.Params?.DeepClone() ?? []);
            }
        }
        finally
        {
            journal.Add($"stopped listening for {wanted.ToJsonString()}");
        }

        return new EmptyResult();

        Task TellAsync(string method, JsonObject parameters)
        {
            parameters["_meta"] = new JsonObject { [MetaKeys.SubscriptionId] = id.DeepClone() };
            return request.Server.SendMessageAsync(new JsonRpcNotification { Method = method, Params = parameters }, cancellation);
        }
    }

    /// <summary>Changes at the server, for all who listen.</summary>
    internal sealed class Changes
    {
        private readonly List<Channel<JsonRpcNotification>> _listeners = [];

        public Channel<JsonRpcNotification> Listen()
        {
            var listener = Channel.CreateUnbounded<JsonRpcNotification>();
            lock (_listeners)
            {
                _listeners.Add(listener);
            }

            return listener;
        }

        public void Tell(JsonRpcNotification change)
        {
            lock (_listeners)
            {
                _listeners.ForEach(listener => listener.Writer.TryWrite(change));
            }
        }
    }

    /// <summary>Tools that need what revision 2026-07-28 has.</summary>
    [McpServerToolType]
    internal sealed class ModernTools(Changes changes)
    {
        [McpServerTool(Name = "change"), Description("Says that the list of tools has changed, or a resource.")]
        public string Change(string? uri = null)
        {
            changes.Tell(uri is null
                ? new JsonRpcNotification { Method = NotificationMethods.ToolListChangedNotification }
                : new JsonRpcNotification { Method = NotificationMethods.ResourceUpdatedNotification, Params = new JsonObject { ["uri"] = uri } });
            return "changed";
        }

        [McpServerTool(Name = "where"), Description("Wants its argument in a header as well.")]
        public static string Where([McpHeader("Region")] string region) => $"in {region}";

        [McpServerTool(Name = "consult"), Description("Needs the client's user, its model and its roots before it answers, and then its user once more.")]
        public static string Consult(RequestContext<CallToolRequestParams> request)
        {
            if (request.Params!.InputResponses is not { } answers)
            {
                throw new InputRequiredException(
                    new Dictionary<string, InputRequest>
                    {
                        ["user"] = InputRequest.ForElicitation(new ElicitRequestParams { Message = "who?", RequestedSchema = new() }),
                        ["model"] = InputRequest.ForSampling(new CreateMessageRequestParams
                        {
                            MaxTokens = 10,
                            Messages = [new SamplingMessage { Role = Role.User, Content = [new TextContentBlock { Text = "what?" }] }],
                        }),
                        ["roots"] = InputRequest.ForRootsList(new ListRootsRequestParams()),
                    },
                    "first");
            }

            if (request.Params.RequestState == "first")
            {
                string user = answers["user"].Deserialize(InputResponse.ElicitResultJsonTypeInfo)!.Action;
                string model = answers["model"].Deserialize(InputResponse.CreateMessageResultJsonTypeInfo)!.Model;
                string root = answers["roots"].Deserialize(InputResponse.ListRootsResultJsonTypeInfo)!.Roots.Single().Uri;
                throw new InputRequiredException(
                    new Dictionary<string, InputRequest>
                    {
                        ["again"] = InputRequest.ForElicitation(new ElicitRequestParams { Message = "sure?", RequestedSchema = new() }),
                    },
                    $"{user}, {model}, {root}");
            }

            return $"{request.Params.RequestState}, {answers["again"].Deserialize(InputResponse.ElicitResultJsonTypeInfo)!.Action}";
        }
    }
}
