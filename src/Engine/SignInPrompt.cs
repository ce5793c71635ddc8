namespace McpProxyFast;

/// <summary>A person has to sign in at the upstream's authorization server before the proxy has a credential.</summary>
/// <param name="Target">The upstream that the sign-in is for: <see cref="McpProxyOptions.Target"/> without its query.</param>
/// <param name="Link">What the person has to open: https, or http on this machine. It works once and is not to be shown to anybody else.</param>
/// <param name="UserCode">What the person has to enter there (RFC 8628); null if nothing is to be entered.</param>
/// <param name="ExpiresAt">When the proxy stops waiting for the person; a later request starts another sign-in.</param>
/// <param name="BrowserOpened">The proxy has started a browser with the link; whether it shows anything is not known.</param>
public readonly record struct SignInPrompt(Uri Target, Uri Link, string? UserCode, DateTimeOffset ExpiresAt, bool BrowserOpened);
