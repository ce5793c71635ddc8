using System.Net;

namespace McpProxyFast;

/// <summary>What the host program knows about a connection that it passes to <see cref="McpProxy.ServeAsync"/>.</summary>
/// <remarks>
/// This record and the options decide which <c>Host</c> and <c>Origin</c> values are accepted; other connections of the proxy do not matter. The rules are
/// those of a listener bound to <see cref="Local"/>. If there is a list, its values are accepted. On a connection that was accepted on a loopback address, the
/// names of that address are accepted too, and without a list only these. On any other connection without a list, every value is accepted.
/// </remarks>
public sealed record ClientConnectionInfo
{
    /// <summary>The client's address, for <c>X-Forwarded-For</c> and the observer.</summary>
    /// <value>Default null: not known, so it is not reported. Only an <see cref="IPEndPoint"/> has an address.</value>
    public EndPoint? Remote { get; init; }

    /// <summary>The address on which the host accepted the connection.</summary>
    /// <value>Default null: the connection is a pipe or a socket file, which no web page can reach. Then no names are derived from it.</value>
    public EndPoint? Local { get; init; }

    /// <summary>Whether the host program terminates TLS, so that clients use <c>https</c> URLs for the proxy.</summary>
    /// <value>Default false: <c>http</c>.</value>
    /// <remarks>Determines <c>X-Forwarded-Proto</c>, and the scheme of URLs in the metadata, in challenges and in a rewritten <c>Location</c>.</remarks>
    public bool IsTls { get; init; }

    /// <summary>The values of <c>Host</c> that this client may send. A value without a port allows every port, and <c>*</c> allows any host.</summary>
    /// <value>
    /// Default null: the list <see cref="McpProxyOptions.AllowedHosts"/>. A list given here replaces that one, even if it is empty, and must not change
    /// afterwards.
    /// </value>
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>The values of <c>Origin</c> that this client may send.</summary>
    /// <value>
    /// Default null: the list <see cref="McpProxyOptions.AllowedOrigins"/>. A list given here replaces that one, even if it is empty, and must not change
    /// afterwards.
    /// </value>
    public IReadOnlyList<string>? AllowedOrigins { get; init; }
}
