using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>Reads a secret from a file that the operator has named. An error says what the file should have contained.</summary>
internal static class ReadSecret
{
    /// <exception cref="OAuthException">The file cannot be read, is empty, or is too large for such a secret.</exception>
    public static async Task<string> FromAsync(string path, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await SecretFile.ReadAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (SecretFileException failure)
        {
            throw Unusable(what, failure);
        }
    }

    /// <summary>Does the same as <see cref="FromAsync"/>, synchronously. For use at the start only.</summary>
    /// <exception cref="OAuthException">The file cannot be read, is empty, or is too large for such a secret.</exception>
    public static string From(string path, string what)
    {
        try
        {
            return SecretFile.Read(path);
        }
        catch (SecretFileException failure)
        {
            throw Unusable(what, failure);
        }
    }

    private static OAuthException Unusable(string what, SecretFileException failure) =>
        new(OAuthFailure.Refused, "secret-file", $"The {what} file {failure.Message}.", failure);
}
