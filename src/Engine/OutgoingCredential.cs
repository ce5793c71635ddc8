namespace McpProxyFast;

/// <summary>An <c>Authorization</c> value of a host's own <see cref="ICredentialSource"/>.</summary>
/// <param name="Authorization">The field value: scheme, one space, credentials (RFC 9110 §11.6.2).</param>
/// <param name="ExpiresAt">When it stops being sent, or null if it is good until it is refused.</param>
public sealed record OutgoingCredential(string Authorization, DateTimeOffset? ExpiresAt = null)
{
    /// <summary>Says that there is a credential, never which.</summary>
    /// <returns>A text without the value.</returns>
    public override string ToString() => "OutgoingCredential (redacted)";
}
