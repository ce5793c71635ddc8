using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Starts a credential source once, for all clients and hosts of the proxy. If the start has failed, answers requests in the source's place.</summary>
/// <remarks>
/// If a client or host that waits for the start is cancelled, the start continues for the others. As long as the last start has failed, a request that needs a
/// credential is answered with 503 and is never sent without one. The first such request after <see cref="RetryInterval"/> starts the source again.
/// </remarks>
/// <param name="source">The credential source.</param>
/// <param name="wording">Converts the message for the client into the host's words (<see cref="McpProxyOptions.Wording"/>); null to keep the engine's.</param>
/// <param name="clock">The clock for pauses.</param>
/// <param name="logger">Logs a start that failed.</param>
internal sealed class StartedCredentials(UpstreamCredentials source, Func<string, string>? wording, TimeProvider clock, ILogger logger)
    : UpstreamCredentials(source.Scope)
{
    /// <summary>After a failed start, the source is started again at the earliest after this time.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _starting = new();
    private readonly CancellationTokenSource _life = new();
    private readonly HookFaults _faults = new(logger, clock);

    /// <summary>The last attempt to start; null before the first. It ends with success or an <see cref="InvalidOperationException"/>.</summary>
    private volatile Task? _attempt;

    /// <summary>The timestamp at which the last attempt failed; valid if <c>_attempt</c> has failed.</summary>
    private long _failedAt;

    public override CredentialLine? Current => source.Current;

    public override bool IsPerCaller => source.IsPerCaller;

    public override bool ProvesEachRequest => source.ProvesEachRequest;

    /// <summary>Whether no credential is needed yet. False until the start has succeeded, so that requests wait for it.</summary>
    public override bool IsUnasked => _attempt is { IsCompletedSuccessfully: true } && source.IsUnasked;

    public override CredentialLine? CurrentFor(ReadOnlySpan<byte> caller, ref ExchangeMemo memo) => source.CurrentFor(caller, ref memo);

    /// <summary>Starts the source, or joins a start that is running or has succeeded.</summary>
    /// <param name="cancellationToken">Ends the wait, but not the start.</param>
    /// <exception cref="InvalidOperationException">No credential can be obtained. The message says what to do.</exception>
    public override Task StartAsync(CancellationToken cancellationToken) => Join(out _).WaitAsync(cancellationToken);

    /// <summary>
    /// Starts the source as <see cref="StartAsync"/> does, but does not wait for the result. A failure is logged, and requests that need the credential get an
    /// error.
    /// </summary>
    public Task Begin()
    {
        Task attempt = Join(out bool isNew);
        if (isNew)
        {
            _ = LogFailureAsync(attempt);
        }

        return attempt;
    }

    public override async ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        Task attempt = Begin();
        return InWords(attempt.IsFaulted
            ? CredentialResult.Unavailable(RetryInterval, "credential-unavailable", attempt.Exception.InnerException!.Message)
            : await source.ObtainAsync(request, cancellationToken).ConfigureAwait(false));
    }

    public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken) =>
        InWords(await source.RecoverAsync(challenge, cancellationToken).ConfigureAwait(false));

    public override async ValueTask DisposeAsync()
    {
        await _life.CancelAsync().ConfigureAwait(false);
        await source.DisposeAsync().ConfigureAwait(false);
    }

    private Task Join(out bool isNew)
    {
        isNew = false;
        if (_attempt is { IsCompletedSuccessfully: true } started)
        {
            return started; // the usual case
        }

        lock (_starting)
        {
            isNew = _attempt is null || (_attempt.IsFaulted && clock.GetElapsedTime(_failedAt) >= RetryInterval);
            if (isNew)
            {
                _attempt = TryStartAsync();
            }

            return _attempt!;
        }
    }

    private async Task TryStartAsync()
    {
        try
        {
            await source.StartAsync(_life.Token).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            _failedAt = clock.GetTimestamp();
            throw;
        }
        catch (Exception fault)
        {
            // The message of an unexpected exception may quote a secret, so only its type is reported.
            _failedAt = clock.GetTimestamp();
            string message = _life.IsCancellationRequested ? "The proxy was stopped." : $"The credential could not be obtained ({fault.GetType().Name}).";
            throw new InvalidOperationException(message, fault);
        }
    }

    private CredentialResult InWords(CredentialResult result) => result.Message is { } message ? result with { Message = InWords(message) } : result;

    private string InWords(string message)
    {
        try
        {
            return wording is null ? message : wording(message);
        }
        catch (Exception fault)
        {
            _faults.Threw(Hook.Wording, fault);
            return message;
        }
    }

    private async Task LogFailureAsync(Task attempt)
    {
        try
        {
            await attempt.ConfigureAwait(false);
        }
        catch (InvalidOperationException) when (_life.IsCancellationRequested)
        {
            // The proxy is being stopped, so nobody needs the credential, and nothing is logged.
        }
        catch (InvalidOperationException failure)
        {
            logger.NotStarted(InWords(failure.Message));
        }
    }
}
