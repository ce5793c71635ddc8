using System.Text.Json;
using System.Text.RegularExpressions;
using McpProxyFast.Cli.Mapping;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Cloudflare's agent. It makes either a quick tunnel without an account, or a named tunnel whose ingress is configured at Cloudflare.</summary>
internal sealed partial class CloudflaredProvider : AgentProvider
{
    public const string Name = "cloudflared";

    private readonly string? _tokenFile;
    private readonly string? _tokenVariable;

    private CloudflaredProvider(ProviderArguments given, int port)
    {
        _tokenFile = given.Text("token-file");
        _tokenVariable = given.Text("token-env");
        KnownUrl = given.Url("url");
        if (_tokenFile is not null && _tokenVariable is not null)
        {
            throw ProviderArguments.Wrong("\"token-file\" and \"token-env\" exclude each other; give one of them");
        }

        if (!IsNamed && KnownUrl is not null)
        {
            throw ProviderArguments.Wrong("\"url\" belongs to a named tunnel: give its token by \"token-file\" or \"token-env\" too, or leave it out");
        }

        if (!IsNamed)
        {
            return;
        }

        _ = Token(what => ProviderArguments.Wrong(what));
        if (KnownUrl is null)
        {
            throw ProviderArguments.Wrong("a named tunnel of cloudflared needs \"url\", the public URL of its ingress at Cloudflare");
        }

        if (port == 0)
        {
            throw new UsageException("--port must be given for a named tunnel of cloudflared: the port to which its ingress at Cloudflare leads");
        }
    }

    public override Uri? KnownUrl { get; }

    public override string Program => Name;

    public override string Source => "https://github.com/cloudflare/cloudflared/releases";

    private bool IsNamed => (_tokenFile ?? _tokenVariable) is not null;

    /// <exception cref="UsageException">Something is missing, unknown or of the wrong type.</exception>
    public static CloudflaredProvider Read(IReadOnlyList<(string Name, JsonElement Value)> arguments, int port) =>
        new(ProviderArguments.Of(Name, arguments, "token-file", "token-env", "url"), port);

    public override AgentCommand CommandFor(string proxy, string serverName) => IsNamed
        ? new AgentCommand(
            ["tunnel", "--no-autoupdate", "run"],
            new Dictionary<string, string> { ["TUNNEL_TOKEN"] = Token(what => new FailedException($"--{ProviderArguments.Flag}: {what}")) })
        : new AgentCommand("tunnel", "--no-autoupdate", "--url", $"http://{proxy}");

    public override Uri? UrlIn(string line) =>
        !IsNamed && QuickUrl().Match(line) is { Success: true } found && PublicUrl.TryParse(found.Groups[1].Value, out Uri? url) ? url : null;

    // The agent prints the address inside a frame of | characters. Other lines may name api.trycloudflare.com, which is not the address.
    [GeneratedRegex(@"\|\s+(https://[a-z0-9-]+\.trycloudflare\.com)/?\s+\|")]
    private static partial Regex QuickUrl();

    /// <summary>Reads the token. It is read again for each start of the agent, since its file may have been replaced.</summary>
    private string Token(Func<string, Exception> wrong)
    {
        if (_tokenVariable is null)
        {
            return ArgumentFile.ReadToken(_tokenFile!, "token-file", wrong);
        }

        return EnvironmentSecrets.Take(_tokenVariable) is { } token && token.Trim().Length > 0
            ? token.Trim()
            : throw wrong($"\"token-env\": the variable {_tokenVariable} is not set, or is empty");
    }
}
