using McpProxyFast.Cli.Mapping;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Reads a secret from a file that a provider argument names.</summary>
internal static class SecretFile
{
    /// <summary>Largest file. A token takes some hundred bytes.</summary>
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads the file and trims white space.</summary>
    /// <param name="path">The file.</param>
    /// <param name="argument">The argument that names it.</param>
    /// <param name="wrong">Creates the exception for an error message.</param>
    public static string Read(string path, string argument, Func<string, Exception> wrong)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[MaxBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            using var reader = new StreamReader(new MemoryStream(bytes, 0, length));
            string text = reader.ReadToEnd().Trim();
            return length > MaxBytes ? throw wrong($"\"{argument}\": {path} is larger than {MaxBytes / 1024} KiB")
                : text.Length == 0 ? throw wrong($"\"{argument}\": {path} is empty")
                : text.Any(char.IsControl) ? throw wrong($"\"{argument}\": {path} holds more than one line, which is no token")
                : HeldSecrets.Note(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw wrong($"\"{argument}\": {path} cannot be read");
        }
    }
}
