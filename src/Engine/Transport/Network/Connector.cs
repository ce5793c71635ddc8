using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport.Streams;

namespace McpProxyFast.Transport.Network;

/// <summary>Makes connections to one authority: resolves its name anew each time, tries the addresses in turn, adds TLS where the scheme asks for it.</summary>
/// <param name="target">The upstream; only scheme, host and port are used.</param>
/// <param name="timeout">For one connection as a whole: look-up, all addresses, TLS.</param>
/// <param name="network">Makes the connections.</param>
/// <param name="trusted">Trust anchors besides the system's; null for none.</param>
/// <param name="lookUp">Finds the addresses of a name.</param>
internal sealed class Connector(
    Uri target, TimeSpan timeout, NetworkStack network, X509Certificate2Collection? trusted, Func<string, CancellationToken, Task<IPAddress[]>> lookUp)
{
    private readonly bool _isTls = target.Scheme == Uri.UriSchemeHttps;

    /// <summary>Connects.</summary>
    /// <param name="affinity">What is to serve the connection, where that can be chosen; null for anything.</param>
    /// <param name="cancel">The client went away, or the proxy is stopped.</param>
    public async ValueTask<ConnectResult> ConnectAsync(Affinity? affinity, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            IPAddress[] addresses = await ResolveAsync(limit.Token).ConfigureAwait(false);
            var result = new ConnectResult(null, FaultReason.UpstreamNameUnresolved);
            for (int i = 0; i < addresses.Length && result.Connection is null && !limit.IsCancellationRequested; i++)
            {
                // Each address gets its share of the time, so that one which swallows packets leaves some for the next.
                result = await TryConnectAsync(addresses[i], timeout / addresses.Length, affinity, limit.Token).ConfigureAwait(false);
            }

            return result.Connection is not null || !limit.IsCancellationRequested ? result
                : new ConnectResult(null, cancel.IsCancellationRequested ? FaultReason.ClientGone : FaultReason.UpstreamConnectTimeout);
        }
        catch (OperationCanceledException)
        {
            return new ConnectResult(null, cancel.IsCancellationRequested ? FaultReason.ClientGone : FaultReason.UpstreamConnectTimeout);
        }
        catch (SocketException)
        {
            // Not a failed look-up, nor a refused address: the system has no room for one more socket.
            return new ConnectResult(null, FaultReason.UpstreamUnreachable);
        }
        catch (AuthenticationException)
        {
            return new ConnectResult(null, FaultReason.UpstreamTlsFailed);
        }
        catch (IOException)
        {
            return new ConnectResult(null, _isTls ? FaultReason.UpstreamTlsFailed : FaultReason.UpstreamUnreachable);
        }
    }

    /// <summary>The addresses of the upstream's name, anew for each connection; none where the name has none now.</summary>
    private async ValueTask<IPAddress[]> ResolveAsync(CancellationToken cancel)
    {
        if (IPAddress.TryParse(target.IdnHost.Trim('[', ']'), out IPAddress? literal))
        {
            return [literal];
        }

        try
        {
            return await lookUp(target.IdnHost, cancel).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return []; // unknown, or nobody to ask: the next connection asks again
        }
    }

    private async ValueTask<ConnectResult> TryConnectAsync(IPAddress address, TimeSpan share, Affinity? affinity, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(share);
        var endPoint = new IPEndPoint(address, target.Port);
        if (!_isTls)
        {
            return Judge(await network.TryConnectAsync(endPoint, affinity, limit.Token).ConfigureAwait(false), limit);
        }

        Socket? socket = await NetworkStack.TryConnectSocketAsync(endPoint, limit.Token).ConfigureAwait(false);
        return Judge(socket is null ? null : await SecureAsync(socket, address, cancel).ConfigureAwait(false), limit);
    }

    private static ConnectResult Judge(Connection? connection, CancellationTokenSource limit) => new(
        connection,
        connection is not null ? FaultReason.None
            : limit.IsCancellationRequested ? FaultReason.UpstreamConnectTimeout
            : FaultReason.UpstreamUnreachable);

    private async ValueTask<Connection> SecureAsync(Socket socket, IPAddress address, CancellationToken cancel)
    {
        var tls = new TlsStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await tls.AuthenticateAsClientAsync(TlsOptions(), cancel).ConfigureAwait(false);
            return NetworkStack.Over(socket, tls, address);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private SslClientAuthenticationOptions TlsOptions() => new()
    {
        TargetHost = target.IdnHost,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        RemoteCertificateValidationCallback = trusted is null ? null : ValidateWithTrusted,
    };

    /// <summary>The system's verdict holds, but for an unknown root: that one may be among the trust anchors given. The name is always checked.</summary>
    private bool ValidateWithTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors is SslPolicyErrors.None)
        {
            return true;
        }

        if (errors is not SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf || chain is null)
        {
            return false;
        }

        using var retried = new X509Chain();
        retried.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        retried.ChainPolicy.CustomTrustStore.AddRange(trusted!);
        retried.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        retried.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return retried.Build(leaf);
    }
}
