using McpProxyFast.Outcomes;

namespace McpProxyFast.Credentials;

/// <summary>A credential that comes from a host's own <see cref="ICredentialSource"/>.</summary>
internal sealed class HostCredentials(ICredentialSource source, CredentialScope scope, TimeProvider clock, HookFaults faults) : UpstreamCredentials(scope)
{
    /// <summary>The longest wait for the host's answer. MCP clients commonly give up after 60 s. They should get the proxy's error before that.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(45);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>The header line with the host's last credential; null before the host has given one.</summary>
    private volatile CredentialLine? _line;

    public override CredentialLine? Current => _line is { } line && line.IsGoodAt(clock.GetUtcNow()) ? line : null;

    public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken) =>
        AskAsync(request.Url, refused: false, cancellationToken);

    public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
    {
        if (challenge.Status != 401 || challenge.Attempt > 0 || challenge.AsksForAnother)
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

    /// <summary>
    /// Asks the host for a credential. If the host throws an exception or takes too long, the request gets an error and may be tried again later.
    /// </summary>
    private async ValueTask<CredentialResult> AskAsync(Uri url, bool refused, CancellationToken cancellationToken)
    {
        using var ending = new HookCancellation(faults, MaxWait, clock, cancellationToken);
        try
        {
            Task<OutgoingCredential?> asked = source.GetAsync(url, refused, ending.Token).AsTask();
            if (await asked.WaitAsync(ending.Token).ConfigureAwait(false) is not { } given)
            {
                return CredentialResult.PassThrough;
            }

            CredentialLine line = CredentialLine.For(given.Authorization, given.ExpiresAt, given);
            _line = line;
            return CredentialResult.Ready(line);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw; // the client has gone
        }
        catch (OperationCanceledException) when (ending.Token.IsCancellationRequested)
        {
            return Unavailable("The credential source of the program that runs the proxy did not answer in time.");
        }
        catch (Exception fault)
        {
            faults.Threw(Hook.CredentialSource, fault);
            return Unavailable("The credential source of the program that runs the proxy failed.");
        }
    }

    private static CredentialResult Unavailable(string message) => CredentialResult.Unavailable(RetryAfter, "credential-unavailable", message);
}
