using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>
/// Runs attempts of one kind, such as sign-ins or renewals. After a failure there is a pause in which no attempt of this kind is made. Each kind has its own
/// object, so that its failures do not delay other kinds.
/// </summary>
/// <param name="target">The target, for the log.</param>
/// <param name="clock">Measures pauses.</param>
/// <param name="logger">Gets a line for each failure.</param>
internal sealed class Attempts(string target, TimeProvider clock, ILogger logger)
{
    /// <summary>The code of a failure that is logged only the first time, since for up to an hour every attempt fails the same way.</summary>
    private const string LoggedOnce = "too-many-sign-ins";

    /// <summary>The failure of the last attempt; null if it succeeded, or none has been made. Requests that have no token read it.</summary>
    private volatile FailureState? _failure;

    /// <summary>The answer for requests as long as the pause after a failure lasts; null if there is no pause, so that an attempt may be made.</summary>
    public CredentialResult? Pause => LeftToWait is null ? null : _failure?.ToResult(clock);

    /// <summary>The rest of the pause after a failure; null if there is no pause, so that an attempt may be made.</summary>
    public TimeSpan? LeftToWait => _failure?.Left(clock) is { } left && left > TimeSpan.Zero ? left : null;

    public void Succeeded() => _failure = null;

    /// <param name="cause">Why the attempt failed.</param>
    /// <param name="isReported">Whether the caller itself reports the failure, so that it is not logged here.</param>
    public void Failed(OAuthException cause, bool isReported = false)
    {
        FailureState? last = _failure;
        _failure = FailureState.After(last, cause, clock);
        if (!isReported && (cause.Code != LoggedOnce || last?.Cause.Code != LoggedOnce))
        {
            logger.NoCredential(target, cause.Message);
        }
    }

    /// <summary>
    /// Makes an attempt, unless the pause after the last failure still lasts. A failure of the attempt is logged and sets <see cref="Pause"/>; it is not
    /// thrown.
    /// </summary>
    /// <remarks>An exception is thrown only if the proxy is being stopped.</remarks>
    /// <returns>The attempt's result; the default value if it failed or was not made.</returns>
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
