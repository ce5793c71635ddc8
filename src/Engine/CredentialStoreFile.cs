namespace McpProxyFast;

/// <summary>An encrypted file that keeps tokens and registrations between runs. Several processes may share it.</summary>
/// <param name="Path">The file; made if there is none.</param>
/// <exception cref="ArgumentException">The path is empty.</exception>
public sealed record CredentialStoreFile(string Path)
{
    private const int KeyBytes = 32;

    /// <summary>The file; made if there is none.</summary>
    /// <exception cref="ArgumentException">It is empty.</exception>
    public string Path { get; init => field = PolicyValue.NotEmpty(value, nameof(Path)); } = PolicyValue.NotEmpty(Path, nameof(Path));

    /// <summary>The path that the command line uses when none is given, in the user's data folder.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "mcpproxyfast",
        "credentials");

    /// <summary>The key that the file is encrypted with, 32 bytes as base64.</summary>
    /// <value>Null (the default): a key made at first use, in a file beside this one that only its owner can read.</value>
    /// <exception cref="ArgumentException">The key is not of that form.</exception>
    public string? Key
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value is null || (Convert.TryFromBase64String(value, new byte[2 * KeyBytes], out int length) && length == KeyBytes),
            nameof(Key),
            "The store key must be 32 bytes in base64, such as `openssl rand -base64 32` prints.");
    }

    /// <summary>Names the file, never the key.</summary>
    /// <returns>The path.</returns>
    public override string ToString() => Path;
}
