namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>A client's way to the server: through a bridge, or directly.</summary>
internal interface IMcpChannel : IDisposable
{
    /// <summary>The process between; 0 for none.</summary>
    int Process { get; }

    /// <summary>Sends a message, whose bytes the caller may change as soon as this returns.</summary>
    void Send(ReadOnlySpan<byte> message);

    /// <summary>Waits for the next message of the server; it is valid until the next call.</summary>
    /// <exception cref="Load.WrongAnswerException">None can come any more.</exception>
    ReadOnlySpan<byte> Receive();
}
