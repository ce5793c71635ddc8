using System.Net;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Verbs;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>
/// A tunnel that an agent makes. Refuses a proxy that does not check its callers, runs the agent, and gives the tunnel's public address to the proxy and the
/// user.
/// </summary>
/// <param name="provider">The provider of the tunnel.</param>
/// <param name="serverName">The name that the user gave the server.</param>
/// <param name="isAllowed">Whether <c>--allow-unprotected</c> is given.</param>
/// <param name="resourceUrl">The value of <c>--resource-url</c>; null if it is not given.</param>
internal sealed class Tunnel(AgentProvider provider, string serverName, bool isAllowed, string? resourceUrl) : IProxyCompanion
{
    /// <summary>The path of the agent's program; null before <see cref="RequireAsync"/>, and for a dry run.</summary>
    private string? _program;

    /// <summary>The last public address that was printed; null before the first.</summary>
    private Uri? _told;

    public void Refuse(McpProxyOptions engine, bool addsCredential)
    {
        if (engine.Incoming is null && !isAllowed)
        {
            throw new UsageException(
                $"anyone who learns the tunnel's address could {Danger(engine, addsCredential)}: "
                + "say who may come in (--oidc-issuer and --oidc-audience), or add --allow-unprotected");
        }
    }

    public Task RequireAsync()
    {
        if (!provider.IsDryRun)
        {
            _program = ProgramPath.Find(provider.Program)
                ?? throw new FailedException($"{provider.Program} is not on the PATH; install it from {provider.Source}");
        }

        return Task.CompletedTask;
    }

    public void Warn(McpProxyOptions engine, bool addsCredential, ILogger logger)
    {
        if (engine.Incoming is null)
        {
            logger.UnprotectedTunnel(Danger(engine, addsCredential));
        }
    }

    public IAsyncDisposable Start(McpProxy proxy, Uri target, IPEndPoint listening, ILogger logger, CancellationToken stopping)
    {
        if (_program is null)
        {
            logger.DryRun(provider.Program);
            return new Nothing();
        }

        if (provider.KnownUrl is { } known)
        {
            Found(proxy, known, logger);
        }

        string address = AddressFor(listening).ToString();
        return new AgentKeeper(provider, _program, () => provider.CommandFor(address, serverName), logger, url => Found(proxy, url, logger));
    }

    /// <summary>Returns the address that the agent connects to. If the proxy listens on a wildcard address, that is loopback.</summary>
    private static IPEndPoint AddressFor(IPEndPoint listening) =>
        listening.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, listening.Port)
        : listening.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.IPv6Loopback, listening.Port)
        : listening;

    private static string Danger(McpProxyOptions engine, bool addsCredential) => addsCredential
        ? $"act with your credential at {engine.Target.GetLeftPart(UriPartial.Path)}"
        : $"use the MCP server at {engine.Target.GetLeftPart(UriPartial.Path)}";

    private void Found(McpProxy proxy, Uri url, ILogger logger)
    {
        if (url.Equals(_told))
        {
            return;
        }

        _told = url;
        IEnumerable<string> named = resourceUrl is not null && Uri.TryCreate(resourceUrl, UriKind.Absolute, out Uri? resource) ? [resource.Authority] : [];
        try
        {
            proxy.Publish(url, [.. provider.OtherHosts(url), .. named]);
        }
        catch (ArgumentException e)
        {
            logger.AddressUnusable(PublicUrl.Shown(url), e.Message);
            return;
        }

        Standard.Output.Write($"mcpproxyfast: {serverName} public at {PublicUrl.Shown(url)}");
    }

    /// <summary>Does nothing; returned for a dry run.</summary>
    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
