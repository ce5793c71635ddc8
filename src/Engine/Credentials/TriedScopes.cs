namespace McpProxyFast.Credentials;

/// <summary>The sets of scopes that have been asked for lately; asking again would end the same way (MCP: step-up attempts are limited).</summary>
/// <remarks>Used by one attempt at a time.</remarks>
internal sealed class TriedScopes(TimeProvider clock)
{
    private const int MaxSets = 64;

    // After this a person may have been given more rights.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, DateTimeOffset> _sets = new(StringComparer.Ordinal);

    /// <returns>Whether this set has not been tried lately; it counts as tried from now on.</returns>
    public bool TryBegin(IEnumerable<string> scopes)
    {
        DateTimeOffset now = clock.GetUtcNow();
        string set = Name(scopes);
        if (_sets.TryGetValue(set, out DateTimeOffset until) && until > now)
        {
            return false;
        }

        Remember(set, now);
        return true;
    }

    public void Remember(IEnumerable<string> scopes) => Remember(Name(scopes), clock.GetUtcNow());

    private void Remember(string set, DateTimeOffset now)
    {
        if (_sets.Count >= MaxSets)
        {
            _sets.Clear();
        }

        _sets[set] = now + Memory;
    }

    private static string Name(IEnumerable<string> scopes) => string.Join(' ', scopes.Distinct().Order(StringComparer.Ordinal));
}
