using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.OAuth.Net;

/// <summary>Dials; refuses the private addresses to which only a server, not the operator, wants to send us.</summary>
/// <remarks>The address that is dialled is the address that was checked, so that a name which changes its mind in between gains nothing.</remarks>
internal sealed class AddressGuard
{
    private readonly HashSet<(string Host, int Port)> _named;
    private readonly Lazy<Task<bool>> _targetIsPrivate;

    public AddressGuard(Uri target, IEnumerable<Uri> operatorUrls)
    {
        _named = [.. operatorUrls.Append(target).Select(url => (url.IdnHost, url.Port))];
        _targetIsPrivate = new(() => IsPrivateAsync(target));
    }

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        string host = context.DnsEndPoint.Host;
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        bool mayBePrivate = _named.Contains((host, context.DnsEndPoint.Port)) || await _targetIsPrivate.Value.ConfigureAwait(false);
        IPAddress[] allowed = mayBePrivate ? addresses : Array.FindAll(addresses, address => !PrivateAddresses.Contains(address));
        if (allowed.Length == 0 && addresses.Length > 0)
        {
            throw OAuthException.Refused(
                "private-address",
                $"{host} has a private address ({addresses[0]}), to which a public server must not send the proxy. Where it is right, name it as the issuer.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<bool> IsPrivateAsync(Uri target)
    {
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(target.IdnHost).ConfigureAwait(false);
            return addresses.Any(PrivateAddresses.Contains);
        }
        catch (SocketException)
        {
            // A target without an address is not known to be private, so the guard stays on.
            return false;
        }
    }
}
