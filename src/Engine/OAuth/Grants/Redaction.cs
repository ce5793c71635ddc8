namespace McpProxyFast.OAuth.Grants;

/// <summary>What went out with one request and must not come back in a message: a server's description of an error may repeat it.</summary>
internal sealed class Redaction
{
    private readonly List<string> _secrets = [];

    public void Add(params ReadOnlySpan<string?> secrets)
    {
        foreach (string? secret in secrets)
        {
            if (secret is { Length: > 0 })
            {
                _secrets.Add(secret);
            }
        }
    }

    public string? Of(string? text) =>
        text is null ? null : _secrets.Aggregate(text, (left, secret) => left.Replace(secret, "(redacted)", StringComparison.Ordinal));
}
