using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Lines;

/// <summary>A file that lines are appended to.</summary>
internal sealed class FileDestination : IDestination
{
    private readonly FileStream _file;

    private FileDestination(FileStream file) => _file = file;

    /// <param name="flag">The flag that names the file.</param>
    /// <param name="path">The path of the file. The file is created if it does not exist.</param>
    /// <exception cref="UsageException">The file cannot be written to.</exception>
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
