using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Runs attempts of one kind, such as sign-ins or renewals, with pauses after failures. A failure of one kind does not delay another kind.</summary>
/// <param name="target">The target, for the log.</param>
/// <param name="clock">Measures pauses.</param>
/// <param name="logger">Gets a line for each failure.</param>
internal sealed class Attempts(string target, TimeProvider clock, ILogger logger)
{
    /// <summary>The code of a failure that is logged only once, since all attempts for up to an hour fail the same way.</summary>
    private const string SaidOnce = "too-many-sign-ins";

    /// <summary>The failure of the last attempt; null if it succeeded, or there was none. Read by every request.</summary>
    private volatile FailureState? _failure;

    /// <summary>The answer for requests while the pause after a failure lasts; null if another attempt may be made.</summary>
    public CredentialResult? Pause => LeftToWait is null ? null : _failure?.ToResult(clock);

    /// <summary>How long the pause after a failure still lasts; null if another attempt may be made.</summary>
    public TimeSpan? LeftToWait => _failure?.Left(clock) is { } left && left > TimeSpan.Zero ? left : null;

    public void Succeeded() => _failure = null;

    /// <param name="cause">Why the attempt failed.</param>
    /// <param name="isTold">Whether the caller reports the failure, so that it is not logged here.</param>
    public void Failed(OAuthException cause, bool isTold = false)
    {
        FailureState? last = _failure;
        _failure = FailureState.After(last, cause, clock);
        if (!isTold && (cause.Code != SaidOnce || last?.Cause.Code != SaidOnce))
        {
            logger.NoCredential(target, cause.Message);
        }
    }

    /// <summary>Makes an attempt, unless the pause after the last failure still lasts. Requests can read the outcome afterwards.</summary>
    /// <remarks>It throws only when the proxy ends.</remarks>
    /// <returns>The attempt's result; the default if it failed or was not made.</returns>
    public async Task<T?> TryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        if (LeftToWait is not null)
        {
            return default;
        }

        try
        {
            return await attempt().ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            Failed(failure);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            // The message of an unexpected exception may quote a secret, so only its type is reported.
            Failed(new OAuthException(OAuthFailure.Transient, "sign-in-failed", $"The credential could not be obtained ({failure.GetType().Name}).", failure));
        }

        return default;
    }
}
