namespace McpProxyFast;

/// <summary>A host's own source of the <c>Authorization</c> value that goes out with each request.</summary>
/// <remarks>
/// The value is asked for once and kept until it expires or the upstream refuses it. Calls may overlap. If a call throws, gives a value that cannot stand in
/// a field, or takes longer than 45 s, the request is answered with 503 <c>credential-unavailable</c>; it never goes out without a credential because of that.
/// The type of the exception is logged, at first and then at most once a minute, but not its text, which may hold a secret.
/// </remarks>
public interface ICredentialSource
{
    /// <summary>Gives the value to send, for example <c>Bearer abc</c>.</summary>
    /// <param name="target">The URL that the request goes to.</param>
    /// <param name="refused">Whether the upstream has just answered 401 to the value given last.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the request that waits for the value is gone, or has waited too long. Callbacks run on another thread; what they throw is logged and
    /// ignored.
    /// </param>
    /// <returns>The value and the time from which it is no longer sent, or null if this request is to go out without one.</returns>
    ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken);
}
