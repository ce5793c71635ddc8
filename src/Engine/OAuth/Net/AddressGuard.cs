using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.OAuth.Net;

/// <summary>Dials; refuses the private addresses to which only a server, not the operator, wants to send us.</summary>
/// <remarks>The address that is dialled is the address that was checked, so that a name which changes its mind in between gains nothing.</remarks>
internal sealed class AddressGuard
{
    private readonly HashSet<(string Host, int Port)> _named;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _lookUp;
    private readonly (string Host, int Port) _target;

    /// <summary>The look-up that says whether the target is private; null before the first, and after one that failed.</summary>
    private volatile Task<bool>? _targetIsPrivate;

    /// <summary>The target was reached at a public address. So it counts as public, even if its name later resolves to a private one.</summary>
    private volatile bool _targetIsPublic;

    /// <param name="target">The upstream.</param>
    /// <param name="operatorUrls">The other URLs that the operator gave.</param>
    /// <param name="lookUp">Resolves names; null for the system's resolver.</param>
    public AddressGuard(Uri target, IEnumerable<Uri> operatorUrls, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
    {
        _lookUp = lookUp ?? Dns.GetHostAddressesAsync;
        _target = (target.IdnHost, target.Port);
        _named = [.. operatorUrls.Append(target).Select(url => (url.IdnHost, url.Port))];
    }

    /// <summary>Says whether the host of a URL may be connected to, as it is known now.</summary>
    /// <exception cref="OAuthException">Refused: it must not. Transient: it is not found now.</exception>
    public async Task CheckAsync(Uri url, CancellationToken cancellationToken)
    {
        try
        {
            await AllowedAsync(url.IdnHost, url.Port, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            throw OAuthException.Transient("server-unreachable", $"{url.Authority} could not be reached: {failure.Message}", failure);
        }
    }

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        string host = context.DnsEndPoint.Host;
        IPAddress[] allowed = await AllowedAsync(host, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
            if ((host, context.DnsEndPoint.Port) == _target)
            {
                _targetIsPublic |= !PrivateAddresses.Contains(((IPEndPoint)socket.RemoteEndPoint!).Address);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<IPAddress[]> AllowedAsync(string host, int port, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await _lookUp(host, cancellationToken).ConfigureAwait(false);
        bool mayBePrivate = _named.Contains((host, port)) || (await IsTargetPrivateAsync().ConfigureAwait(false) && !_targetIsPublic);
        IPAddress[] allowed = mayBePrivate ? addresses : Array.FindAll(addresses, address => !PrivateAddresses.Contains(address));
        return allowed.Length > 0 || addresses.Length == 0
            ? allowed
            : throw OAuthException.Refused(
                "private-address",
                $"{host} has a private address ({addresses[0]}), and a public server must not send the proxy there. If the address is right, "
                + "name it as the issuer (OAuthPolicy.Server).");
    }

    /// <summary>Asked once. A look-up that failed, as before a network is up, says nothing, and does not count for the life of the proxy.</summary>
    private async Task<bool> IsTargetPrivateAsync()
    {
        Task<bool> asked = _targetIsPrivate ??= IsPrivateAsync(_target.Host);
        try
        {
            return await asked.ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // A target without an address is not known to be private, so the guard stays on.
            _targetIsPrivate = null;
            return false;
        }
    }

    // Its owner may give a name both kinds of address, so one private among public ones says nothing.
    private async Task<bool> IsPrivateAsync(string host)
    {
        IPAddress[] addresses = await _lookUp(host, CancellationToken.None).ConfigureAwait(false);
        return addresses.Length > 0 && addresses.All(PrivateAddresses.Contains);
    }
}
