namespace McpProxyFast.Admission;

/// <summary>The names by which clients outside reach a listener of this machine: those of a tunnel's other end.</summary>
/// <param name="Hosts">Values of <c>Host</c>; one without a port stands for every port.</param>
/// <param name="Origin">The origin of pages there.</param>
internal sealed record PublicNames(IReadOnlyList<string> Hosts, string Origin)
{
    /// <summary>The names of an address.</summary>
    /// <param name="address">http or https.</param>
    /// <param name="otherHosts">What clients may ask for besides.</param>
    /// <exception cref="ArgumentException">One is not a host.</exception>
    public static PublicNames Of(Uri address, IReadOnlyList<string> otherHosts)
    {
        // IdnHost is what clients send, but leaves the brackets of IPv6 out.
        string name = address.HostNameType is UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        string host = address.IsDefaultPort ? name : $"{name}:{address.Port}";
        string origin = WebOrigin.Parse($"{address.Scheme}://{host}", nameof(address));
        return new PublicNames([.. otherHosts.Prepend(host).Select(other => WebOrigin.ParseHost(other, nameof(otherHosts)))], origin);
    }
}
