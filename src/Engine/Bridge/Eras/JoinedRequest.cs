using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>A client's request that is translated from an earlier revision to 2026-07-28, from its first POST to its final answer.</summary>
internal sealed class JoinedRequest
{
    /// <summary>The owners of the bytes of <see cref="Sent"/> and of the client's answers to questions. <see cref="LetGo"/> disposes of them.</summary>
    private readonly List<IDisposable> _held = [];

    public JoinedRequest(MessageId client, ToServer sent)
    {
        Client = client;
        Sent = sent;
        Upstream = client;
    }

    /// <summary>The request's id at the client.</summary>
    public MessageId Client { get; }

    /// <summary>The complete request as it was last sent, so that it can be built again with the client's answers; null after <see cref="LetGo"/>.</summary>
    public ToServer? Sent { get; set; }

    /// <summary>The request's id at the server: at first the client's id, and a new id of the bridge each time it is sent again.</summary>
    public MessageId Upstream { get; set; }

    /// <summary>The questions that the client is being asked for this request; null while there are none.</summary>
    public InputRound? Round { get; set; }

    /// <summary>How many bytes are kept for the request: the request as it was last sent, the client's answers, and the server's <c>requestState</c>.</summary>
    public long KeptBytes { get; set; }

    /// <summary>How many times the server has asked for more input (<c>input_required</c>), with or without questions to the client.</summary>
    public int Rounds { get; set; }

    /// <summary>Keeps bytes of the client valid until <see cref="LetGo"/>.</summary>
    /// <param name="origin">The owner of the bytes; null if they need not be disposed of.</param>
    public void Hold(SharedBytes? origin)
    {
        if (origin is not null)
        {
            _held.Add(origin.Use());
        }
    }

    /// <summary>Returns a shared ownership of all kept bytes, for a message that is made from them.</summary>
    public SharedBytes Share()
    {
        var shared = new SharedBytes([.. _held]);
        _held.Clear();
        _held.Add(shared.Use());
        return shared;
    }

    /// <summary>Disposes of the owners of the kept bytes. After that the request cannot be sent again.</summary>
    public void LetGo()
    {
        Sent = null;
        _held.ForEach(held => held.Dispose());
        _held.Clear();
    }
}
