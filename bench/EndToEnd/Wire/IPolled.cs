namespace McpProxyFast.EndToEnd.Wire;

/// <summary>A socket's owner, told by the <see cref="EventLoop"/> when the socket is ready.</summary>
internal interface IPolled
{
    void OnReadable();

    void OnWritable();
}
