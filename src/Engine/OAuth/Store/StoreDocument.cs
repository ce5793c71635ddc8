using System.Collections.Immutable;

namespace McpProxyFast.OAuth.Store;

/// <summary>The plain text of the store.</summary>
internal sealed record StoreDocument
{
    public static readonly StoreDocument Empty = new();

    public ImmutableDictionary<string, StoredEntry> Entries { get; init => field = value ?? []; } = [];
}
