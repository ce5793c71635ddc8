using System.Net;
using System.Net.NetworkInformation;

namespace McpProxyFast;

/// <summary>Finds out whether a target is the address on which the proxy itself listens, as far as that is possible without a name service.</summary>
/// <remarks>
/// Some targets are not recognised here: other host names of this machine, and another server that forwards to this proxy. The first request to such a target
/// is refused with <c>loop-detected</c>.
/// </remarks>
internal static class SelfTarget
{
    public static bool Is(Uri target, IPEndPoint listen)
    {
        if (listen.Port == 0 || listen.Port != target.Port)
        {
            return false;
        }

        string host = target.IdnHost.Trim('[', ']').TrimEnd('.');
        IPAddress bound = Plain(listen.Address);
        bool isEverywhere = bound.Equals(IPAddress.Any) || bound.Equals(IPAddress.IPv6Any);
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return isEverywhere ? IsReached(bound, Plain(address)) : bound.Equals(WhereItLeads(Plain(address)));
        }

        return IsLoopbackName(host)
            ? isEverywhere || bound.Equals(IPAddress.Loopback) || bound.Equals(IPAddress.IPv6Loopback)
            : isEverywhere && host.Equals(Dns.GetHostName(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a host name is <c>localhost</c> or a name under it, which always mean the loopback address (RFC 6761 §6.3).</summary>
    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a connection to an address reaches a listener on all addresses (<c>0.0.0.0</c> or <c>[::]</c>). A listener on <c>[::]</c> also gets IPv4
    /// connections.
    /// </summary>
    private static bool IsReached(IPAddress everywhere, IPAddress address) =>
        (everywhere.Equals(IPAddress.IPv6Any) || everywhere.AddressFamily == address.AddressFamily)
        && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || IPAddress.IsLoopback(address) || IsOfThisMachine(address));

    /// <summary>
    /// The address to which a connection really goes: the loopback address for <c>0.0.0.0</c> or <c>[::]</c>, otherwise the address itself.
    /// </summary>
    private static IPAddress WhereItLeads(IPAddress address) =>
        address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;

    private static bool IsOfThisMachine(IPAddress address)
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(one => one.GetIPProperties().UnicastAddresses)
                .Any(own => own.Address.GetAddressBytes().AsSpan().SequenceEqual(address.GetAddressBytes()));
        }
        catch (NetworkInformationException)
        {
            return false; // the system cannot list its own addresses
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
