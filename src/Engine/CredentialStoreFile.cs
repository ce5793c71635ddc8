namespace McpProxyFast;

/// <summary>An encrypted file with OAuth tokens and client registrations, which the next process can use. Several processes may share it.</summary>
/// <param name="Path">The path of the file, which is created if it does not exist.</param>
/// <exception cref="ArgumentException">The path is empty.</exception>
public sealed record CredentialStoreFile(string Path)
{
    private const int KeyBytes = 32;

    /// <summary>The path of the file, which is created if it does not exist.</summary>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public string Path { get; init => field = PolicyValue.NotEmpty(value, nameof(Path)); } = PolicyValue.NotEmpty(Path, nameof(Path));

    /// <summary>The path that the command line uses if none is given: a file in the user's data folder.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "mcpproxyfast",
        "credentials");

    /// <summary>The key with which the file is encrypted: 32 bytes in base64.</summary>
    /// <value>Null (the default): a key is created at first use and kept in a second file next to this one. Only the owner can read the key file.</value>
    /// <exception cref="ArgumentException">The value is not 32 bytes in base64.</exception>
    public string? Key
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value is null || (Convert.TryFromBase64String(value, new byte[2 * KeyBytes], out int length) && length == KeyBytes),
            nameof(Key),
            "The store key must be 32 bytes in base64, such as `openssl rand -base64 32` prints.");
    }

    /// <summary>Returns the path, never the key.</summary>
    /// <returns>The path.</returns>
    public override string ToString() => Path;
}
