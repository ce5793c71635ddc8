using System.Text.Json;
using McpProxyFast.Cli.Mapping;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>The ngrok agent, version 3. Its arguments are those of <c>thv proxy tunnel</c> for ngrok.</summary>
internal sealed class NgrokProvider : AgentProvider
{
    public const string Name = "ngrok";

    private readonly string _token;
    private readonly string? _url;
    private readonly string? _policyFile;
    private readonly bool _pools;

    private NgrokProvider(ProviderArguments given)
    {
        _token = HeldSecrets.Note(given.Required(ProviderArguments.AuthToken, "YOUR-TOKEN"));
        _url = Url(given);
        _policyFile = PolicyFile.Checked(given, "traffic-policy-file");
        _pools = given.Bool("pooling");
        IsDryRun = given.Bool("dry-run");
    }

    public override bool IsDryRun { get; }

    public override string Program => Name;

    public override string Source => "https://ngrok.com/download";

    /// <exception cref="UsageException">Something is missing, unknown or of the wrong type.</exception>
    public static NgrokProvider Read(IReadOnlyList<(string Name, JsonElement Value)> arguments) =>
        new(ProviderArguments.Of(Name, arguments, ProviderArguments.AuthToken, "url", "traffic-policy-file", "pooling", "dry-run"));

    /// <remarks>The agent's local web page for inspection is off: it would show each request with its token to every user of the machine.</remarks>
    public override AgentCommand CommandFor(string proxy, string serverName)
    {
        string[] arguments =
        [
            "http", $"http://{proxy}", "--log=stdout", "--log-format=json", "--log-level=info", "--inspect=false", $"--description={serverName}",
            .. _url is null ? Array.Empty<string>() : [$"--url={_url}"],
            .. _policyFile is null ? Array.Empty<string>() : [$"--traffic-policy-file={_policyFile}"],
            .. _pools ? ["--pooling-enabled"] : Array.Empty<string>(),
        ];
        return new AgentCommand(arguments, new Dictionary<string, string> { ["NGROK_AUTHTOKEN"] = _token });
    }

    public override Uri? UrlIn(string line)
    {
        if (!line.StartsWith('{'))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement said = document.RootElement;
            return said.TryGetProperty("msg", out JsonElement message) && message.ValueEquals("started tunnel")
                && said.TryGetProperty("url", out JsonElement url) && PublicUrl.TryParse(url.GetString(), out Uri? found)
                ? found
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // the line was cut, or has another format
        }
    }

    /// <summary>Reads <c>url</c>: a URL, or only a host, because ngrok accepts both.</summary>
    private static string? Url(ProviderArguments given)
    {
        if (given.Text("url") is not { } text)
        {
            return null;
        }

        return PublicUrl.TryParse(text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}", out Uri? url) && url.AbsolutePath == "/"
            ? text
            : throw ProviderArguments.Wrong("\"url\" must be an http or https URL without a path, such as https://mcp.ngrok.app");
    }
}
