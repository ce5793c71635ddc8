namespace McpProxyFast.Credentials;

/// <summary>Remembers recent sign-ins, so that one that would most likely end the same way is not repeated (MCP: step-up attempts must be limited).</summary>
/// <remarks>Time is measured by timestamps, so setting the clock has no effect.</remarks>
internal sealed class RecentSignIns(TimeProvider clock)
{
    private const int MaxSets = 64;

    // After this time the same scopes may be asked for again, since the person may have more rights by then.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    // After a sign-in a person is not asked again sooner than this, even if the upstream refuses the new token too.
    private static readonly TimeSpan MinInterval = TimeSpan.FromMinutes(5);

    /// <summary>Guards the fields below. It is held only for moments.</summary>
    private readonly Lock _remembering = new();

    /// <summary>When each set of scopes was last asked for (a timestamp).</summary>
    private readonly Dictionary<string, long> _sets = new(StringComparer.Ordinal);

    /// <summary>When the last successful sign-in was (a timestamp); null before the first.</summary>
    private long? _signedInAt;

    /// <summary>Whether a sign-in has succeeded so recently that another one would hardly help.</summary>
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

    /// <returns>Whether this set of scopes has not been asked for recently. From now on it counts as asked for.</returns>
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
