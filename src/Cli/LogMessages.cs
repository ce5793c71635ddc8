using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli;

/// <summary>The log messages of the command itself, numbered from 900. The engine has its own.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(901, LogLevel.Warning,
        "the value of --{Flag} on the command line is visible to other users of this machine; give it in an environment variable or in a file")]
    public static partial void SecretOnCommandLine(this ILogger logger, string flag);

    [LoggerMessage(902, LogLevel.Warning, "--{Flag} has no effect: add --remote-auth to sign in at the target")]
    public static partial void FlagWithoutEffect(this ILogger logger, string flag);

    [LoggerMessage(903, LogLevel.Warning,
        "--host {Host} is reachable from other machines and --allowed-origins is not given, so web pages of any origin may call; "
        + "give --allowed-origins with the origins that may call")]
    public static partial void AnyOrigin(this ILogger logger, string host);

    [LoggerMessage(904, LogLevel.Warning,
        "--host {Host} is reachable from other machines and --allowed-hosts is not given, so requests may name any host; "
        + "give --allowed-hosts with the host name that clients use")]
    public static partial void AnyHost(this ILogger logger, string host);

    [LoggerMessage(905, LogLevel.Warning,
        "UNPROTECTED: --host {Host} is reachable from other machines, and anyone who can reach it may use the MCP server: "
        + "say who may come in (--oidc-issuer and --oidc-audience), or listen on 127.0.0.1")]
    public static partial void Unprotected(this ILogger logger, string host);

    [LoggerMessage(906, LogLevel.Warning,
        "UNPROTECTED: --host {Host} is reachable from other machines, and anyone who can reach it acts with your credential at {Target} "
        + "(--allow-unprotected is given)")]
    public static partial void UnprotectedCredential(this ILogger logger, string host, string target);

    [LoggerMessage(907, LogLevel.Warning,
        "UNENCRYPTED: credentials go to {Target} in plain HTTP, where others on the way can read them: use a target that begins with https:")]
    public static partial void UnencryptedCredential(this ILogger logger, string target);

    [LoggerMessage(908, LogLevel.Warning, "--{File} is not read, since --{Secret} is given too; leave one of them out")]
    public static partial void SecretFileNotRead(this ILogger logger, string file, string secret);

    [LoggerMessage(920, LogLevel.Warning,
        "the sign-in at the target (--remote-auth) has no effect, since --token-exchange-subject is caller: add --token-exchange-actor outgoing, "
        + "or leave out the --remote-auth flags")]
    public static partial void LoginWithoutEffect(this ILogger logger);

    [LoggerMessage(950, LogLevel.Warning, "UNPROTECTED: anyone who learns the tunnel's address can {Danger} (--allow-unprotected is given)")]
    public static partial void UnprotectedTunnel(this ILogger logger, string danger);

    [LoggerMessage(951, LogLevel.Warning, "{Agent} {How}; it is started again in {Seconds} s")]
    public static partial void AgentEnded(this ILogger logger, string agent, string how, double seconds);

    [LoggerMessage(952, LogLevel.Debug, "{Agent}: {Line}")]
    public static partial void AgentSaid(this ILogger logger, string agent, string line);

    [LoggerMessage(953, LogLevel.Error, "the tunnel's address {Url} cannot be used: {Why}")]
    public static partial void AddressUnusable(this ILogger logger, string url, string why);

    [LoggerMessage(954, LogLevel.Information, "dry run: the settings have been checked; {Agent} was not started, and nothing was sent")]
    public static partial void DryRun(this ILogger logger, string agent);

    [LoggerMessage(960, LogLevel.Information, "the tunnel is connected")]
    public static partial void TunnelConnected(this ILogger logger);

    [LoggerMessage(961, LogLevel.Warning, "the tunnel's control plane {Wrong}; the next try is in {Seconds} s")]
    public static partial void ControlPlaneWrong(this ILogger logger, string wrong, double seconds);

    [LoggerMessage(962, LogLevel.Warning, "the answer to the tunnel's request {Request} could not be delivered and is lost: {Why}")]
    public static partial void AnswerLost(this ILogger logger, string request, string why);

    [LoggerMessage(963, LogLevel.Debug, "the deadline of the tunnel's request {Request} has passed; its answer is no longer sent")]
    public static partial void CommandExpired(this ILogger logger, string request);

    [LoggerMessage(964, LogLevel.Warning,
        "the tunnel's request {Request} is of the kind {Kind}, which this version does not know, so it gets no answer; a newer version may know it")]
    public static partial void CommandUnknown(this ILogger logger, string kind, string request);

    [LoggerMessage(965, LogLevel.Error, "the tunnel's request {Request} failed because of a bug in mcpproxyfast; please report it: {Fault}")]
    public static partial void CommandFailed(this ILogger logger, string request, string fault);

    [LoggerMessage(966, LogLevel.Debug,
        "dropped a request that the MCP server sent while it answered the tunnel's request {Request}: this tunnel cannot carry requests to the client")]
    public static partial void ServerMessageDropped(this ILogger logger, string request);

    [LoggerMessage(967, LogLevel.Warning,
        "dropped the MCP server's answer to the tunnel's request {Request}: with it, all messages under way would take more than {Most} MiB of memory")]
    public static partial void AnswerTooMuch(this ILogger logger, string request, long most);

    [LoggerMessage(968, LogLevel.Error, "a poll of the tunnel's control plane failed because of a bug in mcpproxyfast; please report it: {Fault}")]
    public static partial void PollFailed(this ILogger logger, string fault);
}
