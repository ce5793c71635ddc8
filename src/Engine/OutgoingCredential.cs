namespace McpProxyFast;

/// <summary>The <c>Authorization</c> value that a host's own <see cref="ICredentialSource"/> returns.</summary>
/// <param name="Authorization">The field value: scheme, one space, credentials (RFC 9110 §11.6.2).</param>
/// <param name="ExpiresAt">The time from which the value is no longer sent; null if it is sent until the upstream refuses it.</param>
public sealed record OutgoingCredential(string Authorization, DateTimeOffset? ExpiresAt = null)
{
    /// <summary>Returns a fixed text for logs, without the credential.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => "OutgoingCredential (redacted)";
}
