using McpProxyFast.Outcomes;

namespace McpProxyFast.Admission;

/// <summary>Calls a host's own <see cref="ITokenValidator"/>. If that throws, there is still a verdict, and the exception's message is not logged.</summary>
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
            throw; // nobody waits for it any longer
        }
        catch (Exception fault)
        {
            faults.Threw(Hook.TokenValidator, fault);
            return TokenVerdict.Unavailable("validator-failed", RetrySeconds);
        }
    }
}
