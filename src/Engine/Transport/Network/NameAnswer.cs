using System.Net;

namespace McpProxyFast.Transport.Network;

/// <summary>What a look-up of a name has brought.</summary>
/// <param name="Addresses">The addresses; empty where there is none.</param>
/// <param name="At">When it came, by the clock's timestamps.</param>
/// <param name="Fault">Why there is no address; null where the look-up did not fail.</param>
internal sealed record NameAnswer(IPAddress[] Addresses, long At, Exception? Fault)
{
    /// <summary>It came before it was asked for now: asking anew may bring another.</summary>
    public bool IsFromBefore { get; init; }

    /// <summary>There is an address.</summary>
    public bool IsGood => Addresses.Length > 0;
}
