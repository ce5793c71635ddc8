namespace McpProxyFast.Credentials;

/// <summary>What has been asked for lately; asking again would end the same way (MCP: step-up attempts are limited).</summary>
/// <remarks>Measured by timestamps, so a clock that is set does not change it.</remarks>
internal sealed class RecentSignIns(TimeProvider clock)
{
    private const int MaxSets = 64;

    // After this a person may have been given more rights.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    // A person is not asked again so soon for a token that the upstream then refuses as well.
    private static readonly TimeSpan MinInterval = TimeSpan.FromMinutes(5);

    /// <summary>Held for moments: guards the fields below.</summary>
    private readonly Lock _remembering = new();

    /// <summary>When each set of scopes was tried last.</summary>
    private readonly Dictionary<string, long> _sets = new(StringComparer.Ordinal);

    /// <summary>When the last sign-in succeeded; null before the first.</summary>
    private long? _signedInAt;

    /// <summary>Whether a sign-in has succeeded so lately that another would hardly help.</summary>
    public bool IsSignedIn
    {
        get
        {
            lock (_remembering)
            {
                return _signedInAt is { } at && clock.GetElapsedTime(at) < MinInterval;
            }
        }
    }

    /// <returns>Whether this set has not been tried lately; it counts as tried from now on.</returns>
    public bool TryBegin(IEnumerable<string> scopes)
    {
        string set = Name(scopes);
        lock (_remembering)
        {
            if (_sets.TryGetValue(set, out long at) && clock.GetElapsedTime(at) < Memory)
            {
                return false;
            }

            Remember(set);
            return true;
        }
    }

    /// <summary>A sign-in for these scopes has succeeded.</summary>
    public void Remember(IEnumerable<string> scopes)
    {
        lock (_remembering)
        {
            _signedInAt = clock.GetTimestamp();
            Remember(Name(scopes));
        }
    }

    private void Remember(string set)
    {
        if (_sets.Count >= MaxSets)
        {
            _sets.Clear();
        }

        _sets[set] = clock.GetTimestamp();
    }

    private static string Name(IEnumerable<string> scopes) => string.Join(' ', scopes.Distinct().Order(StringComparer.Ordinal));
}
