using McpProxyFast.Cli.Mapping;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Reads a token from a file that a provider argument names.</summary>
internal static class ArgumentFile
{
    /// <param name="path">The path of the file.</param>
    /// <param name="argument">The provider argument that names the file.</param>
    /// <param name="wrong">Creates the exception for an error message.</param>
    public static string ReadToken(string path, string argument, Func<string, Exception> wrong)
    {
        try
        {
            string text = SecretFile.Read(path);
            return text.Any(char.IsControl) ? throw wrong($"\"{argument}\": {path} has more than one line; it must hold the token and nothing else")
                : HeldSecrets.Note(text);
        }
        catch (SecretFileException e)
        {
            throw wrong($"\"{argument}\": {e.Message}");
        }
    }
}
