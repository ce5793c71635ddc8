namespace McpProxyFast.Admission;

/// <summary>The public names of a listener, with which clients outside this machine reach it through a tunnel.</summary>
/// <param name="Hosts">The values of <c>Host</c> that clients send. A value without a port is allowed with every port.</param>
/// <param name="Origin">The origin of web pages at the public address.</param>
internal sealed record PublicNames(IReadOnlyList<string> Hosts, string Origin)
{
    /// <summary>Makes the names from a public address.</summary>
    /// <param name="address">The public URL; http or https.</param>
    /// <param name="otherHosts">Further values of <c>Host</c> that clients may send.</param>
    /// <exception cref="ArgumentException">One of the other hosts is not a host.</exception>
    public static PublicNames Of(Uri address, IReadOnlyList<string> otherHosts)
    {
        // Clients send the host in the form of IdnHost (Punycode). But IdnHost has no brackets around an IPv6 address.
        string name = address.HostNameType is UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        string host = address.IsDefaultPort ? name : $"{name}:{address.Port}";
        string origin = WebOrigin.Parse($"{address.Scheme}://{host}", nameof(address));
        return new PublicNames([.. otherHosts.Prepend(host).Select(other => WebOrigin.ParseHost(other, nameof(otherHosts)))], origin);
    }
}
