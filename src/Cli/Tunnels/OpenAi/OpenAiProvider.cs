using System.Text.Json;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Verbs;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>
/// The tunnel that OpenAI hosts. It needs no agent: this process polls OpenAI's control plane for commands, most of which carry a request for the MCP server.
/// </summary>
internal sealed class OpenAiProvider : TunnelProvider
{
    public const string Name = "openai";

    private const string DefaultBase = "https://api.openai.com";

    /// <summary>The maximum number of channels.</summary>
    private const int MaxChannels = 32;

    /// <summary>The maximum length of the header value that names the channels, in bytes.</summary>
    private const int MaxInfoBytes = 4_096;

    private readonly string? _keyFile;
    private readonly string? _keyVariable;

    private OpenAiProvider(ProviderArguments given)
    {
        TunnelId = given.Required("tunnel-id", "tunnel_1234abcd");
        _keyFile = given.Text("api-key-file");
        _keyVariable = given.Text("api-key-env");
        if ((_keyFile is null) == (_keyVariable is null))
        {
            throw ProviderArguments.Wrong(
                "openai needs either \"api-key-file\" or \"api-key-env\", which say where its API key is; the key itself must not stand here");
        }

        _ = Key(what => ProviderArguments.Wrong(what));
        Base = given.Url("base-url") ?? new Uri(DefaultBase);
        if (Base.Scheme != Uri.UriSchemeHttps && !Base.IsLoopback)
        {
            throw ProviderArguments.Wrong("\"base-url\" must be an https URL (http only on loopback): the key goes there");
        }

        Concurrency = given.Number("concurrency", 1, 256) ?? 16;
        Channels = [.. given.Texts("channel").Order(StringComparer.Ordinal)];
        if (Channels.Count > MaxChannels || Channels.Distinct().Count() != Channels.Count || !Channels.All(IsChannel) || ServerInfo.Length > MaxInfoBytes)
        {
            throw ProviderArguments.Wrong(
                $"\"channel\" must be at most {MaxChannels} different names of letters, digits, '.', '_' and '-', {MaxInfoBytes} bytes in all");
        }
    }

    /// <summary>The id of the tunnel.</summary>
    public string TunnelId { get; }

    /// <summary>The base URL of the control plane.</summary>
    public Uri Base { get; }

    /// <summary>The maximum number of commands that run at the same time.</summary>
    public int Concurrency { get; }

    /// <summary>The channels to poll, sorted; if empty, all channels are polled.</summary>
    public IReadOnlyList<string> Channels { get; }

    /// <summary>The value of <c>X-Tunnel-MCP-Server-Info</c>: compact JSON that names the channels.</summary>
    public string ServerInfo =>
        $$"""{"version":1,"channels":[{{string.Join(',', (Channels.Count > 0 ? Channels : ["main"]).Select(channel => $$"""{"name":"{{channel}}"}"""))}}]}""";

    /// <exception cref="UsageException">Something is missing, unknown or of the wrong type.</exception>
    public static OpenAiProvider Read(IReadOnlyList<(string Name, JsonElement Value)> arguments) =>
        new(ProviderArguments.Of(Name, arguments, "tunnel-id", "api-key-file", "api-key-env", "base-url", "concurrency", "channel"));

    public override IProxyCompanion Beside(TunnelOptions options) => new HostedTunnel(this);

    /// <summary>Reads the key. It is read for each call, since its file may have been replaced.</summary>
    /// <exception cref="IOException">The key cannot be read.</exception>
    public string Key() => Key(what => new IOException(what));

    private static bool IsChannel(string name) =>
        name.Length is > 0 and <= 128 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-');

    private string Key(Func<string, Exception> wrong)
    {
        string key = _keyFile is not null ? ArgumentFile.ReadToken(_keyFile, "api-key-file", wrong)
            : EnvironmentSecrets.Take(_keyVariable!)?.Trim() is { Length: > 0 } value ? value
            : throw wrong($"\"api-key-env\": the variable {_keyVariable} is not set, or is empty");
        return key.All(character => character is > ' ' and < '\x7f') ? key : throw wrong("the API key must be visible ASCII characters without spaces");
    }
}
