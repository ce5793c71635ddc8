namespace McpProxyFast.Cli.Lines;

/// <summary>Where lines go.</summary>
internal interface IDestination
{
    /// <summary>Writes all of it, and waits as long as that takes.</summary>
    /// <exception cref="IOException">Not all of it could be written.</exception>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Writes what it can without waiting.</summary>
    /// <returns>How many bytes that were; 0 also where it cannot be told whether a write would wait.</returns>
    /// <exception cref="IOException">It takes nothing any more.</exception>
    int WriteAtOnce(ReadOnlySpan<byte> bytes) => 0;
}
