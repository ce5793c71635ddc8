using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>The installed ssh program. It forwards a port of the user's own server to the proxy (<c>ssh -R</c>).</summary>
internal sealed partial class SshProvider : AgentProvider
{
    public const string Name = "ssh";

    /// <summary>The address that sshd listens on if none is given: for this name it uses the loopback addresses of its machine.</summary>
    private const string ServersLoopback = "localhost";

    private readonly string _destination;
    private readonly int? _port;

    /// <summary>The path of the private key, in quotes as ssh options need it; null if it is not given.</summary>
    private readonly string? _identityFile;

    /// <summary>The path of the file of known hosts, in quotes as ssh options need it; null if it is not given.</summary>
    private readonly string? _knownHostsFile;

    private readonly int _remotePort;
    private readonly string _remoteHost;

    /// <summary>The <c>url</c> argument; null if the address is made from host and port.</summary>
    private readonly Uri? _url;

    private SshProvider(ProviderArguments given)
    {
        _destination = given.Required("host", "user@host.example.com");
        if (!Destination().IsMatch(_destination))
        {
            throw ProviderArguments.Wrong("\"host\" must be a host, or a user and a host as in user@host.example.com; its port is given as \"port\"");
        }

        if (Host.Contains(':', StringComparison.Ordinal) && !IPAddress.TryParse(Host, out _))
        {
            throw ProviderArguments.Wrong("\"host\" is not a host name or an IP address; the host's port is given as \"port\"");
        }

        _port = given.Number("port", 1, 65_535);
        _identityFile = Quoted(given.File("identity-file"));
        _knownHostsFile = Quoted(given.File("known-hosts-file"));
        _remotePort = given.Number("remote-port", 0, 65_535) ?? 0;
        _remoteHost = given.Text("remote-host") ?? ServersLoopback;
        _url = given.Url("url");
        if (!RemoteHost().IsMatch(_remoteHost))
        {
            throw ProviderArguments.Wrong("\"remote-host\" must be an address or a name of the server, such as 0.0.0.0, or * for all of its addresses");
        }
    }

    /// <summary>The host without the user and without the brackets of an IPv6 address.</summary>
    private string Host => _destination[(_destination.LastIndexOf('@') + 1)..].Trim('[', ']');

    public override string Program => Name;

    public override string Source => "the package openssh-client";

    public override Uri? KnownUrl => _url ?? (_remotePort > 0 ? UrlOf(_remotePort) : null);

    /// <exception cref="UsageException">Something is missing, unknown or of the wrong type.</exception>
    public static SshProvider Read(IReadOnlyList<(string Name, JsonElement Value)> arguments) =>
        new(ProviderArguments.Of(Name, arguments, "host", "port", "identity-file", "known-hosts-file", "remote-port", "remote-host", "url"));

    /// <remarks>
    /// Batch mode is on, because nobody can type a password or check a host key. A shared connection (ControlMaster) is not used, since the tunnel could then
    /// outlive this process.
    /// </remarks>
    public override AgentCommand CommandFor(string proxy, string serverName)
    {
        string[] options =
        [
            "BatchMode=yes", "StrictHostKeyChecking=yes", "ExitOnForwardFailure=yes", "ConnectTimeout=20", "ServerAliveInterval=15", "ServerAliveCountMax=3",
            "ControlMaster=no", "ControlPath=none", "PermitLocalCommand=no", "ForwardAgent=no", "ForwardX11=no", "LogLevel=INFO",
            .. _identityFile is null ? Array.Empty<string>() : [$"IdentityFile={_identityFile}", "IdentitiesOnly=yes"],
            .. _knownHostsFile is null ? Array.Empty<string>() : [$"UserKnownHostsFile={_knownHostsFile}"],
        ];
        string bind = _remoteHost.Contains(':', StringComparison.Ordinal) ? $"[{_remoteHost.Trim('[', ']')}]" : _remoteHost;
        return new AgentCommand(
        [
            "-N", "-T", "-n",
            .. options.SelectMany(option => (string[])["-o", option]),
            .. _port is { } port ? ["-p", port.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            "-R", string.Create(CultureInfo.InvariantCulture, $"{bind}:{_remotePort}:{proxy}"),
            "--", _destination,
        ]);
    }

    public override Uri? UrlIn(string line) =>
        _remotePort == 0 && Allocated().Match(line) is { Success: true } found
        && int.TryParse(found.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= 65_535
            ? _url ?? UrlOf(port)
            : null;

    /// <summary>Clients on the ssh server itself use its loopback names. Web pages of other sites cannot send these as <c>Host</c>.</summary>
    public override IReadOnlyList<string> OtherHosts(Uri url) => (_url is null ? url.Port : _remotePort) is > 0 and var port
        ? [$"localhost:{port}", $"127.0.0.1:{port}", $"[::1]:{port}"]
        : [];

    [GeneratedRegex(@"^Allocated port (\d{1,5}) for remote forward to ")]
    private static partial Regex Allocated();

    // Neither user nor host may start with a dash: ssh, or a command from its configuration, would take it for an option.
    [GeneratedRegex(
        @"^([A-Za-z0-9_.][A-Za-z0-9_.+\\~-]*@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\[?[0-9A-Fa-f:]+(%[A-Za-z0-9_.-]+)?\]?)$")]
    private static partial Regex Destination();

    [GeneratedRegex(@"^(\*|[A-Za-z0-9_][A-Za-z0-9_.-]*|\[?[0-9A-Fa-f:]+\]?)$")]
    private static partial Regex RemoteHost();

    /// <summary>Quotes a path for an ssh option, so that ssh neither splits nor expands it.</summary>
    /// <exception cref="UsageException">The path has a quotation mark in it.</exception>
    private static string? Quoted(string? path) => path is null ? null
        : path.Contains('"', StringComparison.Ordinal) ? throw ProviderArguments.Wrong($"{path} has a quotation mark in its name, which ssh cannot take")
        : $"\"{Path.GetFullPath(path).Replace("%", "%%", StringComparison.Ordinal)}\"";

    private Uri UrlOf(int port) => new UriBuilder(Uri.UriSchemeHttp, Host.Split('%')[0], port).Uri;
}
