namespace McpProxyFast.Cli.Flags;

/// <summary>A group of flags that the help shows together.</summary>
/// <param name="Title">The title of the group.</param>
/// <param name="Common">The flags that most people need, which the short help shows.</param>
/// <param name="Others">All other flags of the group. A name that ends in <c>*</c> stands for all flags that begin with the part before it.</param>
/// <param name="Examples">Flags with values for the example. The help shows the first example whose flags the verb has.</param>
internal sealed record HelpGroup(string Title, string[] Common, string[] Others, string[] Examples)
{
    /// <summary>All groups, in the order of the help. A flag belongs to the first group that lists it.</summary>
    public static IReadOnlyList<HelpGroup> All { get; } =
    [
        new(
            "The tunnel",
            ["tunnel-provider", "provider-args"],
            [],
            [""]),
        new(
            "Where it listens, and where requests go",
            ["target-uri", "host", "port", "ca-file"],
            ["x-forwarded", "upstream-*", "tls-*"],
            ["--host 127.0.0.1 --port 9000", "--port 9000", ""]),
        new(
            "How it speaks with both sides",
            ["transport", "ignore-tool", "log-file"],
            ["protocol", "reconnect-timeout"],
            ["--transport http --ignore-tool 'delete_*'"]),
        new(
            "Who may call",
            ["oidc-issuer", "oidc-audience", "allowed-origins", "allowed-hosts"],
            ["oidc-*", "resource-url", "pass-authorization", "cors-origins", "allow-unprotected"],
            ["--oidc-issuer https://login.example.com --oidc-audience https://mcp.example.com/mcp"]),
        new(
            "Signing in at the target",
            [
                "remote-auth", "remote-auth-client-id", "remote-auth-client-secret-file", "remote-auth-scopes", "remote-auth-grant", "remote-auth-skip-browser",
                "remote-auth-bearer-token-file", "remote-auth-store",
            ],
            ["remote-auth-*"],
            ["--remote-auth --remote-auth-scopes read,write", "--remote-auth-store /var/lib/mcp/credentials"]),
        new(
            "Exchanging tokens",
            ["token-exchange-url"],
            ["token-exchange-*"],
            ["--token-exchange-url https://login.example.com/token"]),
        new(
            "Header fields added to every request",
            [],
            ["remote-forward-headers*"],
            ["--remote-forward-headers X-Tenant=acme"]),
        new(
            "Limits and waits",
            ["max-body-size", "response-timeout"],
            ["max-*", "header-timeout", "idle-timeout", "connect-timeout", "drain-timeout"],
            ["--max-body-size 32MiB --response-timeout 2m", "--drain-timeout 10s"]),
        new(
            "Settings and logging",
            ["config", "check", "debug"],
            ["admin-*", "access-log*", "trace"],
            ["--debug --check"]),
    ];

    /// <summary>The group of the flags that no other group lists. There are no such flags; a test checks that.</summary>
    public static HelpGroup Rest { get; } = new("Others", [], [], [""]);

    /// <summary>Returns the group of a flag.</summary>
    public static HelpGroup Of(string flag) => All.FirstOrDefault(group => group.Holds(flag)) ?? Rest;

    /// <summary>Returns the sort key of a flag in its group: the flags that most people need come first, in the order of <see cref="Common"/>.</summary>
    public int RankOf(Flag flag) => Array.IndexOf(Common, flag.Name) is >= 0 and var rank ? rank : Common.Length;

    private bool Holds(string flag) => Common.Contains(flag)
        || Array.Exists(Others, name => name.EndsWith('*') ? flag.StartsWith(name[..^1], StringComparison.Ordinal) : flag == name);
}
