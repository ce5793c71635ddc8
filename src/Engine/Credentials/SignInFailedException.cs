namespace McpProxyFast.Credentials;

/// <summary>A person was asked to sign in at the start, and did not. The proxy goes on, tells requests so, and asks again with a later one.</summary>
internal sealed class SignInFailedException(string message, Exception cause) : InvalidOperationException(message, cause);
