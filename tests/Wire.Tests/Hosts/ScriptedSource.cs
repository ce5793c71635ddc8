namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>A host's credential source that does what a test says.</summary>
internal sealed class ScriptedSource(Func<CancellationToken, ValueTask<OutgoingCredential?>> script) : ICredentialSource
{
    public ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken) => script(cancellationToken);
}
