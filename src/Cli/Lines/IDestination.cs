namespace McpProxyFast.Cli.Lines;

/// <summary>Where lines go.</summary>
internal interface IDestination
{
    /// <summary>Writes all of it, and waits as long as that takes.</summary>
    /// <exception cref="IOException">Not all of it could be written.</exception>
    void Write(ReadOnlySpan<byte> bytes);
}
