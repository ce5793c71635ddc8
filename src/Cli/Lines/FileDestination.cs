using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Lines;

/// <summary>A file that lines are added to.</summary>
internal sealed class FileDestination : IDestination
{
    private readonly FileStream _file;

    private FileDestination(FileStream file) => _file = file;

    /// <param name="flag">The flag that names the file.</param>
    /// <param name="path">The file; it is made if there is none.</param>
    /// <exception cref="UsageException">It cannot be written to.</exception>
    public static FileDestination Open(string flag, string path)
    {
        try
        {
            return new FileDestination(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--{flag}: {path} cannot be written to");
        }
    }

    public void Write(ReadOnlySpan<byte> bytes) => _file.Write(bytes);
}
