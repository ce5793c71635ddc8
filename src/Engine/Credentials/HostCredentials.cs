namespace McpProxyFast.Credentials;

/// <summary>What a host's own <see cref="ICredentialSource"/> gives.</summary>
internal sealed class HostCredentials(ICredentialSource source, TimeProvider clock) : CredentialSource
{
    private volatile CredentialLine? _line;

    public override CredentialLine? Current => _line is { } line && line.IsGoodAt(clock.GetUtcNow()) ? line : null;

    public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken) =>
        AskAsync(request.Url, refused: false, cancellationToken);

    public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
    {
        if (challenge.Status != 401 || challenge.Attempt > 0)
        {
            return StaticBearer.Refused(challenge);
        }

        bool isNewer = _line is { } line && !ReferenceEquals(line, challenge.Used);
        return isNewer && Current is { } current
            ? CredentialResult.Ready(current)
            : await AskAsync(challenge.Request.Url, refused: true, cancellationToken).ConfigureAwait(false);
    }

    public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<CredentialResult> AskAsync(Uri url, bool refused, CancellationToken cancellationToken)
    {
        if (await source.GetAsync(url, refused, cancellationToken).ConfigureAwait(false) is not { } given)
        {
            return CredentialResult.PassThrough;
        }

        CredentialLine line = CredentialLine.For(given.Authorization, given.ExpiresAt, given);
        _line = line;
        return CredentialResult.Ready(line);
    }
}
