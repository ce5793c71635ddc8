namespace McpProxyFast;

/// <summary>A host's own source of the <c>Authorization</c> value that the proxy sends with each request.</summary>
/// <remarks>
/// The value is asked for once and kept until it expires or the upstream refuses it. Calls may overlap. If a call throws, returns a value that is not valid in
/// a field, or takes longer than 45 s, the request is answered with 503 <c>credential-unavailable</c>; it is never sent without a credential because of that.
/// The type of the exception is logged, at most once a minute. Its message is not logged, since it may contain a secret.
/// </remarks>
public interface ICredentialSource
{
    /// <summary>Returns the value to send, for example <c>Bearer abc</c>.</summary>
    /// <param name="target">The URL to which the request is sent.</param>
    /// <param name="refused">Whether the upstream has just answered 401 to the value that was returned last.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the request that waits for the value is gone, or has waited too long. Callbacks run on another thread; their exceptions are logged and
    /// ignored.
    /// </param>
    /// <returns>The value and the time from which it is no longer sent, or null to send this request without a credential.</returns>
    ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken);
}
