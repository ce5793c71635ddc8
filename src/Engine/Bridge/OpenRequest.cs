using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>A request of the client, or one that the bridge itself has made, that waits for its answer. It ends exactly once.</summary>
/// <param name="id">The request's JSON-RPC id.</param>
/// <param name="method">The request's JSON-RPC method.</param>
/// <param name="owner">The message that the request is, or is part of.</param>
internal sealed class OpenRequest(MessageId id, string method, ClientMessage owner)
{
    public MessageId Id => id;

    public string Method => method;

    public ClientMessage Owner => owner;

    /// <summary>Whether the client has cancelled the request. Then it needs no answer.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>Whether the request has ended, with or without an answer. Only <see cref="OpenRequests"/> sets it.</summary>
    public bool IsEnded { get; set; }
}
