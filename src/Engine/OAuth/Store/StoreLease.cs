namespace McpProxyFast.OAuth.Store;

/// <summary>The sole use of the store until disposed.</summary>
internal sealed class StoreLease(StoreDocument document, Action<StoreDocument> write, Action release) : IDisposable
{
    private StoreDocument _document = document;

    public IEnumerable<StoredEntry> All => _document.Entries.Values;

    public StoredEntry Find(string key) => _document.Entries.GetValueOrDefault(key, StoredEntry.Empty);

    public void Put(string key, StoredEntry entry) => Write(_document with { Entries = _document.Entries.SetItem(key, entry) });

    public void Remove(string key) => Write(_document with { Entries = _document.Entries.Remove(key) });

    public void Dispose() => release();

    private void Write(StoreDocument changed)
    {
        write(changed);
        _document = changed;
    }
}
