namespace McpProxyFast.OAuth;

/// <summary>The entry for one target and policy, read from the store after a process has written it.</summary>
/// <param name="Held">The entry's credential; null if there is none that can be used.</param>
/// <param name="IsSignedOut">Whether somebody has signed out, so that the entry has no credential.</param>
/// <param name="Generation">The generation of the entry.</param>
/// <param name="Order">The order number of this reading. It is compared with <see cref="HeldCredential.Order"/>.</param>
internal sealed record StoreNews(HeldCredential? Held, bool IsSignedOut, long Generation, long Order);
