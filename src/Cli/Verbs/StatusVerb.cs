using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast status</c>: lists the stored credentials.</summary>
internal static class StatusVerb
{
    public static Task<int> RunAsync(StatusOptions options, Settings settings)
    {
        Prerequisites.CheckStore();
        CredentialStoreFile store = OutgoingFlags.ToStore(options);
        return StoreVerb.RunAsync(options, settings, async (logger, stopping) =>
        {
            IReadOnlyList<StoredCredential> stored = await StoredCredentials.ListAsync(store, logger, stopping);
            return stored.Count == 0 ? $"mcpproxyfast: no credential is stored in {store.Path}" : string.Join('\n', stored.Select(CredentialSummary.Of));
        });
    }
}
