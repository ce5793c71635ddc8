namespace McpProxyFast.EndToEnd.Wire;

/// <summary>Told what a <see cref="MessageReader"/> finds: a head, body bytes without their framing, the end.</summary>
internal interface IMessageHandler
{
    bool IsOpen { get; }

    void OnHead(in MessageHead head);

    void OnBody(ReadOnlySpan<byte> body);

    void OnEnd();
}
