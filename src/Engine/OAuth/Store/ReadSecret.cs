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
            CheckSize(path, what);
            return Trimmed(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), path, what);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            throw Unreadable(path, what, failure);
        }
    }

    /// <summary>As <see cref="FromAsync"/>, before anything runs.</summary>
    /// <exception cref="OAuthException">Likewise.</exception>
    public static string From(string path, string what)
    {
        try
        {
            CheckSize(path, what);
            return Trimmed(File.ReadAllText(path), path, what);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            throw Unreadable(path, what, failure);
        }
    }

    private static void CheckSize(string path, string what)
    {
        if (new FileInfo(path).Length > MaxBytes)
        {
            throw OAuthException.Refused("secret-file", $"The {what} file {path} is larger than {MaxBytes / 1024} KiB.");
        }
    }

    private static string Trimmed(string text, string path, string what) => text.Trim() is { Length: > 0 } trimmed
        ? trimmed
        : throw OAuthException.Refused("secret-file", $"The {what} file {path} is empty.");

    private static OAuthException Unreadable(string path, string what, Exception failure) =>
        new(OAuthFailure.Refused, "secret-file", $"The {what} file {path} cannot be read: {failure.Message}", failure);
}
