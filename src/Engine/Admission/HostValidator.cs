using McpProxyFast.Outcomes;

namespace McpProxyFast.Admission;

/// <summary>A host's own <see cref="ITokenValidator"/>: however it fails, there is a verdict, and the text of what it threw reaches no log.</summary>
internal sealed class HostValidator(ITokenValidator validator, HookFaults faults) : ITokenValidator
{
    private const int RetrySeconds = 5;

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return await validator.ValidateAsync(token, cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidOperationException("The validator gave no verdict.");
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
