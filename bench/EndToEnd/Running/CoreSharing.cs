namespace McpProxyFast.EndToEnd.Running;

/// <summary>Whether the subject has a core for itself.</summary>
internal enum CoreSharing
{
    /// <summary>The subject has the last core, origin and load have the others: what the figures of proxies are taken with.</summary>
    Own,

    /// <summary>All share one core.</summary>
    One,

    /// <summary>All share two cores: the throughput beside that of <see cref="One"/> says how the subject scales. Figures of bridges are taken with it.</summary>
    Two,
}
