using System.Net;
using System.Runtime.InteropServices;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Verbs;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>A proxy's tunnel by a control plane: one loop asks for commands, and as many as allowed are done at a time.</summary>
/// <param name="provider">Which tunnel.</param>
internal sealed class HostedTunnel(OpenAiProvider provider) : IProxyCompanion
{
    public void Refuse(McpProxyOptions engine)
    {
        // The control plane lets in its own account only.
    }

    public void Warn(McpProxyOptions engine, ILogger logger)
    {
        // As above.
    }

    /// <summary>A key or a tunnel that the control plane does not take is an error at the start; anything else may pass, and is waited for.</summary>
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
            // The poll says it, and goes on until it can be reached.
        }
    }

    public IAsyncDisposable Start(McpProxy proxy, Uri target, IPEndPoint listening, ILogger logger, CancellationToken stopping) =>
        new PollLoop(provider, proxy, target, logger, stopping);
}
