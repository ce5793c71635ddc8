using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport;

/// <summary>What became of an attempt to connect: a connection, or why there is none.</summary>
internal readonly record struct ConnectResult(Connection? Connection, FaultReason Fault);

/// <summary>Makes connections to one authority: resolves its name anew each time, tries the addresses in turn, adds TLS where the scheme asks for it.</summary>
/// <param name="target">The upstream; only scheme, host and port are used.</param>
/// <param name="timeout">For one connection as a whole: look-up, all addresses, TLS.</param>
/// <param name="loops">The event loops; null where the system has none.</param>
/// <param name="trusted">Trust anchors besides the system's; null for none.</param>
internal sealed class Connector(Uri target, TimeSpan timeout, EventLoops? loops, X509Certificate2Collection? trusted)
{
    private readonly bool _isTls = target.Scheme == Uri.UriSchemeHttps;

    /// <summary>Connects.</summary>
    /// <param name="loop">The event loop that is to serve the connection; null for any.</param>
    /// <param name="cancel">The client went away, or the proxy is stopped.</param>
    public async ValueTask<ConnectResult> ConnectAsync(EventLoop? loop, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            IPAddress[] addresses = await ResolveAsync(limit.Token).ConfigureAwait(false);
            foreach (IPAddress address in addresses)
            {
                // Each address gets its share of the time, so that one which swallows packets leaves some for the next.
                Connection? connection = await TryConnectAsync(address, timeout / addresses.Length, loop, limit.Token).ConfigureAwait(false);
                if (connection is not null)
                {
                    return new ConnectResult(connection, FaultReason.None);
                }
            }

            return new ConnectResult(null, limit.IsCancellationRequested ? FaultReason.UpstreamConnectTimeout : FaultReason.UpstreamUnreachable);
        }
        catch (OperationCanceledException)
        {
            return new ConnectResult(null, cancel.IsCancellationRequested ? FaultReason.ClientGone : FaultReason.UpstreamConnectTimeout);
        }
        catch (SocketException)
        {
            return new ConnectResult(null, FaultReason.UpstreamNameUnresolved);
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

    private async ValueTask<IPAddress[]> ResolveAsync(CancellationToken cancel) =>
        IPAddress.TryParse(target.IdnHost.Trim('[', ']'), out IPAddress? literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(target.IdnHost, cancel).ConfigureAwait(false);

    private async ValueTask<Connection?> TryConnectAsync(IPAddress address, TimeSpan share, EventLoop? loop, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(share);
        var endPoint = new IPEndPoint(address, target.Port);
        if (!_isTls && loops is not null)
        {
            return await EpollConnect.TryAsync(endPoint, loop ?? loops.Next(), limit.Token).ConfigureAwait(false);
        }

        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, limit.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is SocketException || (fault is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // Unreachable at this address, or its share of the time is over: the next one is tried.
            socket.Dispose();
            return null;
        }

        return _isTls ? await SecureAsync(socket, address, cancel).ConfigureAwait(false) : PipeConnection.Over(socket);
    }

    private async ValueTask<Connection> SecureAsync(Socket socket, IPAddress address, CancellationToken cancel)
    {
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(TlsOptions(), cancel).ConfigureAwait(false);
            return PipeConnection.Over(tls, address);
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
