namespace McpProxyFast.OAuth;

/// <summary>How the store's entry is after another process may have changed it.</summary>
/// <param name="Held">Its credential; null if there is none that can be used.</param>
/// <param name="IsSignedOut">Somebody has signed out.</param>
/// <param name="Generation">The generation of the entry.</param>
/// <param name="Order">As <see cref="HeldCredential.Order"/>.</param>
internal sealed record StoreNews(HeldCredential? Held, bool IsSignedOut, long Generation, long Order);
