using System.Net;
using System.Runtime.InteropServices;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Verbs;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Runs beside the proxy for the hosted tunnel: checks the key and the tunnel, then starts the poll loop.</summary>
/// <param name="provider">The tunnel and its key.</param>
internal sealed class HostedTunnel(OpenAiProvider provider) : IProxyCompanion
{
    public void Refuse(McpProxyOptions engine, bool addsCredential)
    {
        // Nothing to refuse: the control plane hands out only commands of the account that owns the tunnel.
    }

    public void Warn(McpProxyOptions engine, bool addsCredential, ILogger logger)
    {
        // Nothing to warn about: only the account that owns the tunnel can use it.
    }

    /// <summary>Fails if the control plane refuses the key or does not know the tunnel. Other failures may be temporary; the poll loop retries them.</summary>
    public async Task RequireAsync()
    {
        Prerequisites.RequireOpenSsl(
            provider.Base.Scheme == Uri.UriSchemeHttps ? "the tunnel's control plane" : null, NativeLibrary.TryLoad);
        using var plane = new ControlPlane(provider);
        try
        {
            using HttpResponseMessage response = await plane.MetadataAsync(CancellationToken.None);
            string? wrong = (int)response.StatusCode switch
            {
                401 => "does not take the key; check \"api-key-file\" or \"api-key-env\"",
                403 => "does not let the key use this tunnel; check \"tunnel-id\" and the key's rights",
                404 => "knows no such tunnel; check \"tunnel-id\"",
                _ => null,
            };
            if (wrong is not null)
            {
                throw new FailedException($"the tunnel's control plane {wrong} (HTTP {(int)response.StatusCode})");
            }
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException or IOException)
        {
            // The poll loop will meet the same failure, log it and try again.
        }
    }

    public IAsyncDisposable Start(McpProxy proxy, Uri target, IPEndPoint listening, ILogger logger, CancellationToken stopping) =>
        new PollLoop(provider, proxy, target, logger, stopping);
}
