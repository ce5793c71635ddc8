namespace McpProxyFast.Engine.Tests.Admission;

/// <summary>A validator that does what the test says, and counts how often it was asked. The wire tests have it too.</summary>
internal sealed class ScriptedValidator(Func<string, CancellationToken, ValueTask<TokenVerdict>> script) : ITokenValidator
{
    private int _calls;

    /// <summary>Admits everybody.</summary>
    public ScriptedValidator()
        : this(_ => TokenVerdict.Admit("alice", DateTimeOffset.MaxValue))
    {
    }

    public ScriptedValidator(Func<string, TokenVerdict> script)
        : this((token, _) => ValueTask.FromResult(script(token)))
    {
    }

    public int Calls => Volatile.Read(ref _calls);

    public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        return script(token, cancellationToken);
    }
}
