using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Attempts of one kind, and how the last of them failed. A failure of one kind does not put off another kind.</summary>
/// <param name="target">The target, for the log.</param>
/// <param name="clock">Measures pauses.</param>
/// <param name="logger">Takes why an attempt has failed.</param>
internal sealed class Attempts(string target, TimeProvider clock, ILogger logger)
{
    /// <summary>The code of a failure that is logged once, since further attempts end the same way for up to an hour.</summary>
    private const string SaidOnce = "too-many-sign-ins";

    /// <summary>How the last attempt failed; null when it has not, or there was none. Read by every request.</summary>
    private volatile FailureState? _failure;

    /// <summary>What to say while no other attempt is made yet; null when one may be.</summary>
    public CredentialResult? Pause => LeftToWait is null ? null : _failure?.ToResult(clock);

    /// <summary>How long no other attempt is made yet; null when one may be.</summary>
    public TimeSpan? LeftToWait => _failure?.Left(clock) is { } left && left > TimeSpan.Zero ? left : null;

    public void Succeeded() => _failure = null;

    /// <param name="cause">Why the attempt failed.</param>
    /// <param name="isTold">The caller reports it, so that it is not logged here.</param>
    public void Failed(OAuthException cause, bool isTold = false)
    {
        FailureState? last = _failure;
        _failure = FailureState.After(last, cause, clock);
        if (!isTold && (cause.Code != SaidOnce || last?.Cause.Code != SaidOnce))
        {
            logger.NoCredential(target, cause.Message);
        }
    }

    /// <summary>Makes an attempt, unless it is too early for one. It ends in a state that requests can read.</summary>
    /// <remarks>It never throws, but at the end of the proxy.</remarks>
    /// <returns>What the attempt returns; if it failed or was not made, the default.</returns>
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
            // The message of an unexpected exception may quote what was being handled, so only its kind is told.
            Failed(new OAuthException(OAuthFailure.Transient, "sign-in-failed", $"The credential could not be obtained ({failure.GetType().Name}).", failure));
        }

        return default;
    }
}
