using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast secret</c>: keeps, lists and deletes named secrets in the credential store.</summary>
internal static class SecretVerb
{
    /// <summary>A hint for users who pass the value as an argument.</summary>
    public const string FromStdin = "secret set reads the value from stdin, so that it is not visible in the list of processes";

    private const string Usage = "mcpproxyfast secret set NAME, mcpproxyfast secret list or mcpproxyfast secret delete NAME";

    private static readonly Dictionary<string, string> NameTable = new(StringComparer.Ordinal) { ["value"] = "the value on stdin" };

    public static Task<int> RunAsync(SecretOptions options, Settings settings)
    {
        (string action, string name) = Read(options);
        Prerequisites.CheckStore();
        CredentialStoreFile store = OutgoingFlags.ToStore(options);
        return StoreVerb.RunAsync(options, settings, async (logger, stopping) =>
        {
            switch (action)
            {
                case "set":
                    string value = await SecretInput.ReadAsync(name, stopping);
                    await Accepted(() => StoredSecrets.SetAsync(store, name, value, logger, stopping));
                    return $"mcpproxyfast: {name} is stored in {store.Path}";
                case "delete":
                    return await Accepted(() => StoredSecrets.DeleteAsync(store, name, logger, stopping))
                        ? $"mcpproxyfast: {name} is deleted from {store.Path}"
                        : $"mcpproxyfast: no secret {name} is stored in {store.Path}";
                default:
                    IReadOnlyList<string> names = await StoredSecrets.ListAsync(store, logger, stopping);
                    return names.Count == 0 ? $"mcpproxyfast: no secret is stored in {store.Path}" : string.Join('\n', names);
            }
        });
    }

    /// <exception cref="UsageException">
    /// The arguments fit none of the three actions. The message does not repeat an invalid name, since that may be the secret itself.
    /// </exception>
    private static (string Action, string Name) Read(SecretOptions options) => (options.Action, options.Name) switch
    {
        ("set" or "delete", { } name) => (options.Action!, CheckedName(name)),
        ("set" or "delete", null) => throw new UsageException($"the name of the secret is missing; write: mcpproxyfast secret {options.Action} NAME"),
        ("list", null) => ("list", ""),
        ("list", _) => throw new UsageException("secret list takes no name; it lists all"),
        (null, _) => throw new UsageException($"secret needs an action; write {Usage}"),
        _ => throw new UsageException($"unknown action '{options.Action}'; write {Usage}"),
    };

    private static string CheckedName(string name) => StoredSecrets.IsName(name)
        ? name
        : throw new UsageException($"NAME must be one word of at most {StoredSecrets.MaxNameLength} visible ASCII characters without a colon; {FromStdin}");

    private static T Accepted<T>(Func<T> make) => FlagValue.Accepted(NameTable, make);
}
