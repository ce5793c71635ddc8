using System.Net;

namespace McpProxyFast;

/// <summary>What the host program knows about a connection that it passes to <see cref="McpProxy.ServeAsync"/>.</summary>
/// <remarks>
/// This record and the proxy's options decide which values of <c>Host</c> and <c>Origin</c> are accepted on the connection. The rules are the same as for a
/// listener of the proxy that is bound to <see cref="Local"/>. If a list is set, its values are accepted. If <see cref="Local"/> is a loopback address, the
/// names of that address are always accepted in <c>Host</c>, and if a list is not set, only these names are accepted. If <see cref="Local"/> is any other
/// address, or null, and a list is not set, every value is accepted.
/// </remarks>
public sealed record ClientConnectionInfo
{
    /// <summary>The client's address, for <c>X-Forwarded-For</c> and the observer.</summary>
    /// <value>Default null: the address is not known. Any end point that is not an <see cref="IPEndPoint"/> counts as null.</value>
    public EndPoint? Remote { get; init; }

    /// <summary>The address on which the host accepted the connection.</summary>
    /// <value>
    /// Default null: the connection has no IP address, such as a pipe or a Unix domain socket, which no web page can reach. Then only
    /// the lists of allowed hosts and origins decide what is accepted; a list that is not set accepts every value.
    /// </value>
    public EndPoint? Local { get; init; }

    /// <summary>Whether the host program terminates TLS, so that clients use <c>https</c> URLs for the proxy.</summary>
    /// <value>Default false: <c>http</c>.</value>
    /// <remarks>Determines <c>X-Forwarded-Proto</c>, and the scheme of URLs in the metadata, in challenges and in a rewritten <c>Location</c>.</remarks>
    public bool IsTls { get; init; }

    /// <summary>The values of <c>Host</c> that this client may send. A value without a port allows every port, and <c>*</c> allows any host.</summary>
    /// <value>
    /// Default null: the list <see cref="McpProxyOptions.AllowedHosts"/> counts. A list that is set here replaces it, even if the new list is empty. The list
    /// must not change afterwards.
    /// </value>
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>The values of <c>Origin</c> that this client may send.</summary>
    /// <value>
    /// Default null: the list <see cref="McpProxyOptions.AllowedOrigins"/> counts. A list that is set here replaces it, even if the new list is empty. The list
    /// must not change afterwards.
    /// </value>
    public IReadOnlyList<string>? AllowedOrigins { get; init; }
}
