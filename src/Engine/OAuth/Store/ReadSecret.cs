using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>Reads a secret from a file that the operator named.</summary>
internal static class ReadSecret
{
    // A token or a key takes a few KiB; more is the wrong file.
    private const int MaxBytes = 64 * 1024;

    /// <exception cref="OAuthException">The file cannot be read, is empty, or is too large to be what it should be.</exception>
    public static async Task<string> FromAsync(string path, string what, CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw OAuthException.Refused("secret-file", $"The {what} file {path} is larger than {MaxBytes / 1024} KiB.");
            }

            string text = (await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false)).Trim();
            return text.Length > 0 ? text : throw OAuthException.Refused("secret-file", $"The {what} file {path} is empty.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new OAuthException(OAuthFailure.Refused, "secret-file", $"The {what} file {path} cannot be read: {failure.Message}", failure);
        }
    }
}
