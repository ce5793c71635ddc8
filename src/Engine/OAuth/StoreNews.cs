namespace McpProxyFast.OAuth;

/// <summary>The state of the store's entry after another process may have changed it.</summary>
/// <param name="Held">The entry's credential; null if there is none that can be used.</param>
/// <param name="IsSignedOut">Whether somebody has signed out.</param>
/// <param name="Generation">The generation of the entry.</param>
/// <param name="Order">When it was read, comparable with <see cref="HeldCredential.Order"/>.</param>
internal sealed record StoreNews(HeldCredential? Held, bool IsSignedOut, long Generation, long Order);
