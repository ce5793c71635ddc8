using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli;

/// <summary>What the command itself logs; the engine's messages are its own. Numbers from 900.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(901, LogLevel.Warning, "--{Flag} is visible to other users of this machine; give it in the environment or in a file")]
    public static partial void SecretOnCommandLine(this ILogger logger, string flag);

    [LoggerMessage(902, LogLevel.Warning, "--{Flag} has no effect: add --remote-auth to sign in at the target")]
    public static partial void FlagWithoutEffect(this ILogger logger, string flag);

    [LoggerMessage(903, LogLevel.Warning,
        "--host {Host} is reachable from other machines and --allowed-origins is not given: web pages of any origin may call; name those that may")]
    public static partial void AnyOrigin(this ILogger logger, string host);

    [LoggerMessage(904, LogLevel.Warning,
        "--host {Host} is reachable from other machines and --allowed-hosts is not given: requests may name any host; name the one that clients use")]
    public static partial void AnyHost(this ILogger logger, string host);

    [LoggerMessage(905, LogLevel.Warning,
        "UNPROTECTED: --host {Host} is reachable from other machines, and whoever reaches it may use the MCP server: "
        + "say who may come in (--oidc-issuer and --oidc-audience), or listen on 127.0.0.1")]
    public static partial void Unprotected(this ILogger logger, string host);

    [LoggerMessage(906, LogLevel.Warning,
        "UNPROTECTED: --host {Host} is reachable from other machines, and whoever reaches it acts with your credential at {Target} "
        + "(--allow-unprotected is given)")]
    public static partial void UnprotectedCredential(this ILogger logger, string host, string target);

    [LoggerMessage(907, LogLevel.Warning,
        "UNENCRYPTED: your credential goes to {Target} in plain HTTP, where others on the way can read it: use an https --target-uri")]
    public static partial void UnencryptedCredential(this ILogger logger, string target);

    [LoggerMessage(908, LogLevel.Warning, "--{File} is not read, since --{Secret} is given too; leave one of them out")]
    public static partial void SecretFileNotRead(this ILogger logger, string file, string secret);

    [LoggerMessage(920, LogLevel.Warning,
        "the outgoing sign-in has no effect, since --token-exchange-subject is caller: add --token-exchange-actor outgoing, or leave the sign-in out")]
    public static partial void LoginWithoutEffect(this ILogger logger);
}
