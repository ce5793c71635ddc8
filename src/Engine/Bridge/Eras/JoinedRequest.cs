using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>A request of a client of an older era that the server has not finished.</summary>
internal sealed class JoinedRequest
{
    /// <summary>What <see cref="Sent"/>, and the client's answers to questions, lie in. Given back by <see cref="LetGo"/>.</summary>
    private readonly List<IDisposable> _held = [];

    public JoinedRequest(MessageId client, ToServer sent)
    {
        Client = client;
        Sent = sent;
        Upstream = client;
    }

    /// <summary>The client's id.</summary>
    public MessageId Client { get; }

    /// <summary>The request as it was last sent, whole, so that it can be built again; null once it was let go.</summary>
    public ToServer? Sent { get; set; }

    /// <summary>The id it has at the server: the client's at first, then one of ours for each time it is sent again.</summary>
    public MessageId Upstream { get; set; }

    /// <summary>What the client is being asked for it; null while nothing is.</summary>
    public InputRound? Round { get; set; }

    /// <summary>How many bytes are kept for it: the request as it was sent, the client's answers and the server's state.</summary>
    public long KeptBytes { get; set; }

    /// <summary>How many times the server has asked for more.</summary>
    public int Rounds { get; set; }

    /// <summary>Keeps bytes of the client valid until the request is let go.</summary>
    /// <param name="origin">What they lie in; null for memory of their own.</param>
    public void Hold(SharedBytes? origin)
    {
        if (origin is not null)
        {
            _held.Add(origin.Use());
        }
    }

    /// <summary>Shares all that is held with a message that is made of it.</summary>
    public SharedBytes Share()
    {
        var shared = new SharedBytes([.. _held]);
        _held.Clear();
        _held.Add(shared.Use());
        return shared;
    }

    /// <summary>Gives the bytes back: it is not sent again.</summary>
    public void LetGo()
    {
        Sent = null;
        _held.ForEach(held => held.Dispose());
        _held.Clear();
    }
}
