using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>A request that waits for its answer, the client's or one of the bridge's own. It ends once.</summary>
/// <param name="id">Its id.</param>
/// <param name="method">Its method.</param>
/// <param name="owner">The message that carries it.</param>
internal sealed class OpenRequest(MessageId id, string method, ClientMessage owner)
{
    public MessageId Id => id;

    public string Method => method;

    public ClientMessage Owner => owner;

    /// <summary>The client has cancelled it: it need not be answered any more.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>It has been answered, or given up. Set by <see cref="OpenRequests"/> alone.</summary>
    public bool IsEnded { get; set; }
}
