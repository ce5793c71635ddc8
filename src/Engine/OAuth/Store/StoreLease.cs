namespace McpProxyFast.OAuth.Store;

/// <summary>The sole use of the store until disposed.</summary>
/// <param name="document">The store as it was read.</param>
/// <param name="put">Keeps an entry, and returns the store with it.</param>
/// <param name="release">Lets the next one use it.</param>
internal sealed class StoreLease(StoreDocument document, Func<string, StoredEntry, StoreDocument> put, Action release) : IDisposable
{
    /// <summary>The store, with what has been put since.</summary>
    private StoreDocument _document = document;

    public StoredEntry Find(string key) => _document.Entries.GetValueOrDefault(key, StoredEntry.Empty);

    /// <summary>Keeps an entry: in the file, or in memory for as long as the file cannot be written.</summary>
    public void Put(string key, StoredEntry entry) => _document = put(key, entry);

    public void Dispose() => release();
}
