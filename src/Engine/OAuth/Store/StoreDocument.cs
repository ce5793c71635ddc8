using System.Collections.Immutable;

namespace McpProxyFast.OAuth.Store;

/// <summary>The content of the store, decrypted.</summary>
internal sealed record StoreDocument
{
    public static readonly StoreDocument Empty = new();

    public ImmutableDictionary<string, StoredEntry> Entries { get; init => field = value ?? []; } = [];
}
