using System.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>
/// Checks who could reach the proxy and what they could do with it. Refuses a proxy whose credential others could use, and warns of lesser dangers.
/// </summary>
internal static class Exposure
{
    /// <summary>Refuses a proxy that lets everybody on the network use a credential.</summary>
    /// <param name="engine">The proxy's options.</param>
    /// <param name="host">The value of <c>--host</c>.</param>
    /// <param name="addsField">Whether the flags add a header field to requests that acts as a credential.</param>
    /// <param name="isAllowed">Whether <c>--allow-unprotected</c> is given.</param>
    /// <exception cref="UsageException">Others could use the credential, and <c>--allow-unprotected</c> is not given.</exception>
    public static void Refuse(McpProxyOptions engine, string host, bool addsField, bool isAllowed)
    {
        if (IsReachable(engine) && engine.Incoming is null && (addsField || Lends(engine)) && !isAllowed)
        {
            throw new UsageException(
                $"--host {host} is reachable from other machines, and anyone who can reach it would act with your credential at {Shown(engine.Target)}: "
                + "say who may come in (--oidc-issuer and --oidc-audience), listen on 127.0.0.1, or add --allow-unprotected");
        }
    }

    /// <summary>Logs warnings about what others could do with the proxy.</summary>
    /// <param name="engine">The proxy's options.</param>
    /// <param name="host">The value of <c>--host</c>.</param>
    /// <param name="addsField">Whether the flags add a header field to requests that acts as a credential.</param>
    /// <param name="logger">Gets the warnings.</param>
    public static void Warn(McpProxyOptions engine, string host, bool addsField, ILogger logger)
    {
        WarnOfPlainHttp(engine, addsField, logger);
        if (!IsReachable(engine))
        {
            return;
        }

        if (engine.Incoming is null && !addsField && !Lends(engine))
        {
            logger.Unprotected(host);
        }
        else if (engine.Incoming is null)
        {
            logger.UnprotectedCredential(host, Shown(engine.Target));
        }

        if (engine.AllowedOrigins.Count == 0)
        {
            logger.AnyOrigin(host);
        }

        if (engine.AllowedHosts.Count == 0)
        {
            logger.AnyHost(host);
        }
    }

    /// <summary>
    /// Whether every caller would act with the proxy's own credential. A token that the proxy gets in exchange for a caller's token is used for that caller
    /// only.
    /// </summary>
    private static bool Lends(McpProxyOptions engine) => engine.Outgoing is not (null or TokenExchangePolicy { Subject.IsCaller: true });

    /// <summary>Warns if a credential would be sent to another machine without encryption.</summary>
    public static void WarnOfPlainHttp(McpProxyOptions engine, bool addsField, ILogger logger)
    {
        if ((addsField || engine.Outgoing is not null) && engine.Target.Scheme == Uri.UriSchemeHttp && !IsThisMachine(engine.Target))
        {
            logger.UnencryptedCredential(Shown(engine.Target));
        }
    }

    private static bool IsReachable(McpProxyOptions engine) => engine.Listen is { } listen && !IPAddress.IsLoopback(listen.Address);

    /// <summary>
    /// Whether the target is on this machine, judged by its name or address only. Other names may resolve to this machine now and to another one later.
    /// </summary>
    private static bool IsThisMachine(Uri target) => target.IsLoopback
        || target.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || target.IdnHost.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private static string Shown(Uri target) => target.GetLeftPart(UriPartial.Path);
}
