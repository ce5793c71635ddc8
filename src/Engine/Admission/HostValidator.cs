using McpProxyFast.Outcomes;

namespace McpProxyFast.Admission;

/// <summary>
/// Calls the host program's <see cref="ITokenValidator"/>. If it throws, the verdict is <see cref="TokenVerdictKind.Unavailable"/>, and only the type of the
/// exception is logged.
/// </summary>
internal sealed class HostValidator(ITokenValidator validator, HookFaults faults) : ITokenValidator
{
    private const int RetrySeconds = 5;

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return await validator.ValidateAsync(token, cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidOperationException("The token validator returned null instead of a verdict.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw; // the token gate cancelled it, and makes the verdict
        }
        catch (Exception fault)
        {
            faults.Threw(Hook.TokenValidator, fault);
            return TokenVerdict.Unavailable("validator-failed", RetrySeconds);
        }
    }
}
