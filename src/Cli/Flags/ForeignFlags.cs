namespace McpProxyFast.Cli.Flags;

/// <summary>
/// Hints for users of <c>mcp-remote</c>, of some other bridges and of curl: what to write in place of the flags and values of those programs.
/// </summary>
internal static class ForeignFlags
{
    /// <summary>
    /// Flags of other programs, as they are written there, and how to do the same with this command. A <c>--flag</c> in a hint is one of this command.
    /// </summary>
    private static readonly (string[] Flags, string Hint)[] Flags =
    [
        (["--header", "--headers", "-H"], "use --remote-forward-headers NAME=VALUE, or --remote-forward-headers-secret NAME=env:VARIABLE for a secret"),
        (["--header-file"], "use --remote-forward-headers-secret NAME=file:FILE, with one file for each field; the file must contain only the value"),
        (["--oauth2Bearer"], "use --remote-auth-bearer-token-file FILE"),
        (["--sse"], "use --target-uri URL with --transport sse"),
        (["--streamableHttp"], "use --target-uri URL"),
        (["--auth-timeout"], "use --remote-auth-timeout DURATION, such as 60s"),
        (["--static-oauth-client-info"], "use --remote-auth-client-id ID and --remote-auth-client-secret-file FILE"),
        (["--static-oauth-client-metadata"], "use --remote-auth-scopes SCOPES"),
        (["--client-metadata-url"], "use --remote-auth-client-metadata-url URL"),
        (["--client-id"], "use --remote-auth-client-id ID"),
        (["--client-secret"], "use --remote-auth-client-secret-file FILE"),
        (["--client-credentials"], "use --remote-auth-grant client_credentials"),
        (["--token-endpoint", "--token-url"], "use --remote-auth-token-url URL"),
        (["--device-code"], "use --remote-auth-grant device_code"),
        (["--resource"], "use --remote-auth-resource URI"),
        (["--disable-resource-parameter"], "use --remote-auth-resource none"),
        (["--port"], "if it is the port to which the browser comes back, use --remote-auth-callback-port PORT"),
        (["--headers-timeout"], "use --response-timeout DURATION, such as 300s"),
        (["--silent"], "use --log-file /dev/null"),
        (["--logLevel", "--log-level"], "use --debug to see more"),
        (["--verify-ssl", "--no-verify-ssl", "--insecure", "-k"], "certificates are always checked; trust your own certificate authority with --ca-file FILE"),
        (["--allow-http"], "it is not needed: plain HTTP is used if the target's URL begins with http://"),
        (["--host"], "it is not needed: the browser comes back to loopback"),
        (["--ipv4"], "it is not needed: if an address does not answer, the next one is tried after 300 ms"),
        (["--body-timeout", "--keep-alive", "--ping-interval"], "it is not needed: a stream stays open however long it is silent"),
        (["--enable-proxy"], "there is nothing like it here: HTTP proxies in environment variables (HTTP_PROXY) are not used"),
        (["--disable-cookies"], "there is nothing like it here: cookies are sent back to the server that set them, and are kept only until the process ends"),
        (["--authorize-param", "--callback-path", "--auth-success-url", "--use-id-token"], "there is nothing like it here; leave it out"),
    ];

    /// <summary>Values that a flag of the same name has in other programs, and what to write here to mean the same.</summary>
    private static readonly (string Flag, string[] Values, string Hint)[] Values =
    [
        ("--transport", ["http-first"], "leave it out: auto does that"),
        ("--transport", ["http-only", "streamablehttp", "streamable-http"], "write http"),
        ("--transport", ["sse-only"], "write sse"),
        ("--transport", ["sse-first"], "leave it out: auto uses HTTP+SSE if the server has nothing else"),
        ("--protocol", ["legacy"], "write pass"),
    ];

    /// <summary>Returns what to write in place of a flag that the verb does not have; null if that is not known, or the verb has no flag for it.</summary>
    /// <param name="flag">The flag as it is written, with its dashes.</param>
    /// <param name="table">The flags of the verb.</param>
    public static string? HintFor(string flag, FlagTable table) =>
        Has(table, "remote-auth") && Array.Find(Flags, row => row.Flags.Contains(flag)).Hint is { } hint && FlagsIn(hint).All(name => Has(table, name))
            ? hint
            : null;

    /// <summary>Returns what to write in place of a value that the flag does not accept, as the end of a sentence; empty if that is not known.</summary>
    /// <param name="flag">A flag of this command, with its dashes.</param>
    /// <param name="value">The value that was given.</param>
    public static string HintFor(string flag, string value) =>
        Array.Find(Values, row => row.Flag == flag && row.Values.Contains(value)).Hint is { } hint ? $"; {hint}" : "";

    private static bool Has(FlagTable table, string name) => table.Built.Any(flag => flag.Name == name);

    private static IEnumerable<string> FlagsIn(string hint) =>
        hint.Split(' ').Where(word => word.StartsWith("--", StringComparison.Ordinal)).Select(word => word[2..].TrimEnd(',', ';'));
}
