using System.Net;
using System.Net.NetworkInformation;

namespace McpProxyFast;

/// <summary>Whether a target is the very address on which the proxy listens, in every spelling that can be told without asking a name service.</summary>
/// <remarks>What it cannot tell, a name of this machine or a way around, is seen with the first request (<c>loop-detected</c>).</remarks>
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

    /// <summary>RFC 6761 §6.3: every name under <c>localhost</c> is the loopback address.</summary>
    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether who listens on every address is reached by this one. On <c>[::]</c> those are the ones of IPv4 too.</summary>
    private static bool IsReached(IPAddress everywhere, IPAddress address) =>
        (everywhere.Equals(IPAddress.IPv6Any) || everywhere.AddressFamily == address.AddressFamily)
        && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || IPAddress.IsLoopback(address) || IsOfThisMachine(address));

    /// <summary>To connect to "every address" is to connect to this machine.</summary>
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
            return false; // the system does not say
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
