namespace McpProxyFast;

/// <summary>A source of the <c>Authorization</c> value that the proxy sends with each request. The host program implements it.</summary>
/// <remarks>
/// The proxy keeps a returned value until it expires or the upstream refuses it, and only then asks again. Several calls may run at the same time. If a call
/// throws, returns a value that is not valid in a field, or takes longer than 45 s, the request that waits is not sent, and is answered with 503
/// <c>credential-unavailable</c>. The type of the exception is logged. Its message is not logged, since it may contain a secret.
/// </remarks>
public interface ICredentialSource
{
    /// <summary>Returns the value to send, for example <c>Bearer abc</c>.</summary>
    /// <param name="target">The URL to which the request is sent.</param>
    /// <param name="refused">Whether the upstream has just answered 401 to a request with the value that was returned last.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the client of the request that waits for the value has disconnected, or the call has taken 45 s. Callbacks that are registered on the
    /// token run on another thread; their exceptions are logged and ignored.
    /// </param>
    /// <returns>The value and the time at which it expires, or null to send this request without a credential. A null is not kept for other requests.</returns>
    ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken);
}
