namespace McpProxyFast;

/// <summary>What the upstream learns about the client from <c>X-Forwarded-For</c>, <c>X-Forwarded-Host</c> and <c>X-Forwarded-Proto</c>.</summary>
public enum ForwardedFields
{
    /// <summary>Like <see cref="Set"/> for an http upstream. Like <see cref="Off"/> for an https upstream, which usually belongs to a third party.</summary>
    Automatic,

    /// <summary>The client's own fields are dropped and the proxy sets its own.</summary>
    Set,

    /// <summary>The client's own fields are kept and its address is appended. Use this for a proxy behind another, trusted proxy.</summary>
    Append,

    /// <summary>The client's own fields are dropped and none are sent.</summary>
    Off,
}
