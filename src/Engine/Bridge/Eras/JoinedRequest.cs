using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>A request of a client of an older era that the server has not finished.</summary>
internal sealed class JoinedRequest
{
    public JoinedRequest(MessageId client, ToServer sent)
    {
        Client = client;
        Sent = sent;
        Upstream = client;
    }

    /// <summary>The client's id.</summary>
    public MessageId Client { get; }

    /// <summary>The request as it was last sent. Kept whole, so that it can be built again.</summary>
    public ToServer Sent { get; set; }

    /// <summary>The id it has at the server: the client's at first, then one of ours for each time it is sent again.</summary>
    public MessageId Upstream { get; set; }

    /// <summary>What the client is being asked for it; null while nothing is.</summary>
    public InputRound? Round { get; set; }

    /// <summary>How many bytes are kept for it: the request as it was sent, the client's answers and the server's state.</summary>
    public long KeptBytes { get; set; }

    /// <summary>How many times the server has asked for more.</summary>
    public int Rounds { get; set; }
}
