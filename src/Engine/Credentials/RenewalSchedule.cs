namespace McpProxyFast.Credentials;

/// <summary>When a token is renewed, and from when it is no longer sent.</summary>
internal static class RenewalSchedule
{
    private static readonly TimeSpan MaxLead = TimeSpan.FromMinutes(5);

    // Clocks differ, and a request takes its time: a token is not sent in its last seconds.
    private static readonly TimeSpan MaxMargin = TimeSpan.FromSeconds(10);

    public static DateTimeOffset? EndOfUse(DateTimeOffset issuedAt, DateTimeOffset? expiresAt) =>
        expiresAt is { } end ? end - Shortest(MaxMargin, (end - issuedAt) / 10) : null;

    /// <summary>
    /// A tenth of the lifetime before the end of use, at most five minutes, plus up to half of that at random, so that many proxies do not ask at once.
    /// </summary>
    public static DateTimeOffset DueAt(DateTimeOffset issuedAt, DateTimeOffset expiresAt)
    {
        TimeSpan lead = Shortest(MaxLead, (expiresAt - issuedAt) / 10);
        return EndOfUse(issuedAt, expiresAt)!.Value - lead - (lead / 2 * Random.Shared.NextDouble());
    }

    private static TimeSpan Shortest(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
