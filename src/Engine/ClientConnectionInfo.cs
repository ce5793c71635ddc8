using System.Net;

namespace McpProxyFast;

/// <summary>What a host says of a connection that it hands to <see cref="McpProxy.ServeAsync"/>.</summary>
/// <remarks>
/// Which <c>Host</c> and <c>Origin</c> values pass is decided by this record and by the options, never by what else the proxy serves. The rule is that of a
/// listener of the proxy's own which is bound to <see cref="Local"/>: the lists decide if there are any; a connection that was accepted on a loopback
/// address may ask for the names of that address besides, and, without a list, for no other; any other connection without a list may ask for every name.
/// </remarks>
public sealed record ClientConnectionInfo
{
    /// <summary>The client's address, for <c>X-Forwarded-For</c> and the observer.</summary>
    /// <value>Default null: not known, and reported to nobody. Only an <see cref="IPEndPoint"/> has an address.</value>
    public EndPoint? Remote { get; init; }

    /// <summary>The address on which the host accepted the connection.</summary>
    /// <value>Default null: a pipe or a socket file, which no web page can reach; no names are derived from it.</value>
    public EndPoint? Local { get; init; }

    /// <summary>The host has ended the client's TLS, so clients know the proxy by <c>https</c> URLs.</summary>
    /// <value>Default false: <c>http</c>.</value>
    /// <remarks>Decides <c>X-Forwarded-Proto</c>, and the scheme of the metadata's URLs, of challenges and of a rewritten <c>Location</c>.</remarks>
    public bool IsTls { get; init; }

    /// <summary>Values of <c>Host</c> that this client may ask for; one without a port stands for every port, and <c>*</c> allows any host.</summary>
    /// <value>Default null: <see cref="McpProxyOptions.AllowedHosts"/>. A list, also an empty one, replaces it, and must not change afterwards.</value>
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>Origins from which this client may come.</summary>
    /// <value>Default null: <see cref="McpProxyOptions.AllowedOrigins"/>. A list, also an empty one, replaces it, and must not change afterwards.</value>
    public IReadOnlyList<string>? AllowedOrigins { get; init; }
}
