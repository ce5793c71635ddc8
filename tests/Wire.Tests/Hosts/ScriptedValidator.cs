namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>A host's token validator that does what a test says; without that it admits everybody.</summary>
internal sealed class ScriptedValidator(Func<string, CancellationToken, ValueTask<TokenVerdict>>? script = null) : ITokenValidator
{
    public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) =>
        script?.Invoke(token, cancellationToken) ?? ValueTask.FromResult(TokenVerdict.Admit("alice", DateTimeOffset.MaxValue));
}
