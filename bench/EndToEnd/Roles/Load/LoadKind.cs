namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>The ways in which load is put on a subject.</summary>
internal enum LoadKind
{
    /// <summary>Every connection sends its next request when it has the answer to the last.</summary>
    ClosedLoop,

    /// <summary>Requests are due at a fixed rate, whether or not the ones before are answered.</summary>
    FixedRate,

    /// <summary>As <see cref="ClosedLoop"/>, with a new connection for each request.</summary>
    NewConnections,

    /// <summary>Streams that carry events.</summary>
    Streams,

    /// <summary>Streams that are silent after their first event: what they cost is memory.</summary>
    IdleStreams,

    /// <summary>As <see cref="IdleStreams"/>, all opened at once on a process that has just started.</summary>
    ColdStreams,

    /// <summary><see cref="Streams"/> beside <see cref="FixedRate"/>, whose latency is what is measured.</summary>
    Mixed,
}
