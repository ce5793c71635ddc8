namespace McpProxyFast.Cli.Lines;

/// <summary>Something that bytes are written to: stdout, stderr or a file.</summary>
internal interface IDestination
{
    /// <summary>Writes all bytes, and waits as long as that takes.</summary>
    /// <exception cref="IOException">Not all bytes could be written.</exception>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Writes as many bytes as possible without waiting.</summary>
    /// <returns>The number of bytes that were written. It is 0 if it is not known whether a write would wait.</returns>
    /// <exception cref="IOException">The destination accepts no more bytes.</exception>
    int WriteAtOnce(ReadOnlySpan<byte> bytes) => 0;
}
