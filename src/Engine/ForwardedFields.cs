namespace McpProxyFast;

/// <summary>What the upstream is told of the client in <c>X-Forwarded-For</c>, <c>-Host</c> and <c>-Proto</c>.</summary>
public enum ForwardedFields
{
    /// <summary><see cref="Set"/> for an http upstream, <see cref="Off"/> for an https one, which is a third party's.</summary>
    Automatic,

    /// <summary>The client's own fields are dropped and ours are set.</summary>
    Set,

    /// <summary>The client's own fields are kept and its address is appended: for a proxy behind another trusted one.</summary>
    Append,

    /// <summary>The client's own fields are dropped and none are sent.</summary>
    Off,
}
