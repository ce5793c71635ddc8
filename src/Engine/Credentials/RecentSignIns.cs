namespace McpProxyFast.Credentials;

/// <summary>Remembers recent sign-ins. A sign-in that would most likely end like a recent one is not made (MCP: step-up attempts must be limited).</summary>
/// <remarks>Time is measured by monotonic timestamps, so changing the system clock has no effect.</remarks>
internal sealed class RecentSignIns(TimeProvider clock)
{
    private const int MaxSets = 64;

    // After this time the same scopes may be asked for again, since the person may have got more rights meanwhile.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    // For this time after a sign-in the person is not asked again, even if the upstream refuses the new token too.
    private static readonly TimeSpan MinInterval = TimeSpan.FromMinutes(5);

    /// <summary>A lock that is held briefly while the fields below are used.</summary>
    private readonly Lock _remembering = new();

    /// <summary>The timestamp at which each set of scopes was last asked for.</summary>
    private readonly Dictionary<string, long> _sets = new(StringComparer.Ordinal);

    /// <summary>The timestamp of the last successful sign-in; null before the first.</summary>
    private long? _signedInAt;

    /// <summary>Whether the last successful sign-in was so recent that another one would hardly help.</summary>
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

    /// <returns>True if this set of scopes has not been asked for recently. Then it counts as asked for from now on.</returns>
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

    /// <summary>Remembers that a sign-in for these scopes has succeeded.</summary>
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
