namespace McpProxyFast.OAuth.Store;

/// <summary>The right to use the store, which nobody else has until this object is disposed of.</summary>
/// <param name="document">The store as it was read.</param>
/// <param name="put">Stores an entry, and returns the new content of the store.</param>
/// <param name="release">Lets the next caller use the store.</param>
internal sealed class StoreLease(StoreDocument document, Func<string, StoredEntry, StoreDocument> put, Action release) : IDisposable
{
    /// <summary>The content of the store, including the entries that have been stored by <see cref="Put"/>.</summary>
    private StoreDocument _document = document;

    public StoredEntry Find(string key) => _document.Entries.GetValueOrDefault(key, StoredEntry.Empty);

    /// <summary>Stores an entry: in the file, or in memory as long as the file cannot be written.</summary>
    public void Put(string key, StoredEntry entry) => _document = put(key, entry);

    public void Dispose() => release();
}
