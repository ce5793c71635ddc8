using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.OAuth.Net;

/// <summary>
/// Opens connections for requests to authorization servers. If only a server, and not the operator, has named the host, private addresses are refused, unless
/// the target itself has a private address.
/// </summary>
/// <remarks>The connection is made to the address that was checked. So if the name resolves to another address later, that address is not used.</remarks>
internal sealed class AddressGuard
{
    private readonly HashSet<(string Host, int Port)> _named;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _lookUp;
    private readonly (string Host, int Port) _target;

    /// <summary>
    /// The look-up of the target's name, with the result whether the target has a private address; null before the first look-up, and after a failed one.
    /// </summary>
    private volatile Task<bool>? _targetIsPrivate;

    /// <summary>
    /// Whether the target has been reached at a public address. If so, it counts as public, even if its name later resolves to a private address.
    /// </summary>
    private volatile bool _targetIsPublic;

    /// <param name="target">The upstream.</param>
    /// <param name="operatorUrls">The other URLs that the operator has set.</param>
    /// <param name="lookUp">Resolves names; null for the system's resolver.</param>
    public AddressGuard(Uri target, IEnumerable<Uri> operatorUrls, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
    {
        _lookUp = lookUp ?? Dns.GetHostAddressesAsync;
        _target = (target.IdnHost, target.Port);
        _named = [.. operatorUrls.Append(target).Select(url => (url.IdnHost, url.Port))];
    }

    /// <summary>Checks whether the proxy may connect to the host of a URL, using the addresses that the host has now.</summary>
    /// <exception cref="OAuthException">
    /// With the failure Refused: the proxy must not connect to it. With the failure Transient: the host's name cannot be resolved now.
    /// </exception>
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
                $"{host} has a private address ({addresses[0]}). A server, not your settings, named this host, so the proxy does not connect to it. "
                + "If the host is right, set OAuthPolicy.Server to its issuer URL.");
    }

    /// <summary>
    /// Returns whether the target has a private address. After a successful look-up the result is kept; after a failed one the name is looked up again later,
    /// since the network may not be up yet.
    /// </summary>
    private async Task<bool> IsTargetPrivateAsync()
    {
        Task<bool> asked = _targetIsPrivate ??= IsPrivateAsync(_target.Host);
        try
        {
            return await asked.ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // If the target's name cannot be resolved, the target does not count as private, so private addresses are refused.
            _targetIsPrivate = null;
            return false;
        }
    }

    // The target counts as private only if all of its addresses are private. The owner of a public name could add a private address to it, so that private
    // addresses would be allowed.
    private async Task<bool> IsPrivateAsync(string host)
    {
        IPAddress[] addresses = await _lookUp(host, CancellationToken.None).ConfigureAwait(false);
        return addresses.Length > 0 && addresses.All(PrivateAddresses.Contains);
    }
}
