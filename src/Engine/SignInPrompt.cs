namespace McpProxyFast;

/// <summary>A person has to sign in at the upstream's authorization server before the proxy has a credential.</summary>
/// <param name="Target">The upstream that the sign-in is for: <see cref="McpProxyOptions.Target"/> without its query.</param>
/// <param name="Link">
/// The link that the person must open: https, or http on this machine. It works once and must not be shown to anybody else.
/// </param>
/// <param name="UserCode">The code that the person must enter on the page of the link (RFC 8628); null if the grant needs no code.</param>
/// <param name="ExpiresAt">When the proxy stops waiting for the person; a later request starts another sign-in.</param>
/// <param name="BrowserOpened">Whether the proxy has started a browser with the link. It does not know whether the browser shows the page.</param>
public readonly record struct SignInPrompt(Uri Target, Uri Link, string? UserCode, DateTimeOffset ExpiresAt, bool BrowserOpened);
