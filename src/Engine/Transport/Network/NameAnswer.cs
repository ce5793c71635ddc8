using System.Net;

namespace McpProxyFast.Transport.Network;

/// <summary>The result of looking up a name.</summary>
/// <param name="Addresses">The addresses; empty if there are none.</param>
/// <param name="At">When the answer arrived, in the clock's timestamps.</param>
/// <param name="Fault">Why there is no address; null if the look-up did not fail.</param>
internal sealed record NameAnswer(IPAddress[] Addresses, long At, Exception? Fault)
{
    /// <summary>The answer comes from an earlier look-up, so a new look-up may give other addresses.</summary>
    public bool IsFromBefore { get; init; }

    /// <summary>There is at least one address.</summary>
    public bool IsGood => Addresses.Length > 0;
}
