namespace McpProxyFast.Credentials;

/// <summary>A token that never changes.</summary>
internal sealed class StaticBearer(string token, CredentialScope scope) : UpstreamCredentials(scope)
{
    private readonly CredentialLine _line = CredentialLine.For($"Bearer {token}", endsAt: null, token: new object());

    public override CredentialLine? Current => _line;

    public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken) => new(CredentialResult.Ready(_line));

    public override ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken) => new(Refused(challenge));

    public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// Returns the result if the upstream has refused a token and the proxy has no other: 503 for a 401, otherwise the upstream's own answer.
    /// </summary>
    internal static CredentialResult Refused(UpstreamChallenge challenge) => challenge is { Status: 401, AsksForAnother: false }
        ? CredentialResult.Unavailable(
            TimeSpan.FromSeconds(30), "credential-refused", "The upstream refuses the proxy's credential; the proxy's operator has to give another one.")
        : CredentialResult.PassThrough;
}
