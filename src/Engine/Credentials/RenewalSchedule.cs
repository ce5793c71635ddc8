namespace McpProxyFast.Credentials;

/// <summary>Computes when a token is renewed, and when it stops being sent.</summary>
internal static class RenewalSchedule
{
    private static readonly TimeSpan MaxLead = TimeSpan.FromMinutes(5);

    // A token is not sent in its last seconds, since the clocks of the proxy and the upstream may differ, and a request takes some time.
    private static readonly TimeSpan MaxMargin = TimeSpan.FromSeconds(10);

    public static DateTimeOffset? EndOfUse(DateTimeOffset issuedAt, DateTimeOffset? expiresAt) =>
        expiresAt is { } end ? end - Shortest(MaxMargin, (end - issuedAt) / 10) : null;

    /// <summary>
    /// Returns when a token is to be renewed: a tenth of its lifetime, but at most five minutes, before it stops being sent. Up to half of this lead is added
    /// to it at random, so that many proxies do not renew at the same time.
    /// </summary>
    public static DateTimeOffset DueAt(DateTimeOffset issuedAt, DateTimeOffset expiresAt)
    {
        TimeSpan lead = Shortest(MaxLead, (expiresAt - issuedAt) / 10);
        return EndOfUse(issuedAt, expiresAt)!.Value - lead - (lead / 2 * Random.Shared.NextDouble());
    }

    private static TimeSpan Shortest(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
