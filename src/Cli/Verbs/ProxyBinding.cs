using System.Net;
using System.Net.Sockets;
using McpProxyFast.Cli.Mapping;

namespace McpProxyFast.Cli.Verbs;

/// <summary>Binds a proxy to its address, or says in one line why that is not possible.</summary>
internal static class ProxyBinding
{
    /// <exception cref="FailedException">The proxy cannot listen on the address, for example because it is in use.</exception>
    /// <exception cref="UsageException">An option does not fit the address that was bound.</exception>
    public static IPEndPoint Bind(McpProxy proxy, IPEndPoint wanted)
    {
        try
        {
            return FlagValue.Accepted(FlagNames.Proxy, proxy.Bind);
        }
        catch (SocketException e)
        {
            throw new FailedException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"--port {wanted.Port} is in use on {wanted.Address}; choose another, or 0 for a free one",
                SocketError.AddressNotAvailable => $"--host {wanted.Address} is not an address of this machine",
                SocketError.AccessDenied => $"--port {wanted.Port} needs rights that this process lacks; choose one above 1023",
                _ => $"cannot listen on {wanted}: {e.SocketErrorCode}",
            });
        }
    }
}
