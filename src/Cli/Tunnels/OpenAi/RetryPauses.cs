namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>
/// Computes the pauses between attempts. Each is twice as long as the last one, up to a limit, and is shortened by up to half at random. No pause is shorter
/// than the server's <c>Retry-After</c>, of which at most <see cref="LongestAsked"/> counts.
/// </summary>
internal sealed class RetryPauses
{
    /// <summary>The longest <c>Retry-After</c> that is followed. A longer one counts as this one.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromSeconds(60);

    private readonly TimeSpan _first;
    private readonly TimeSpan _most;

    /// <summary>The next pause, before it is shortened at random.</summary>
    private TimeSpan _next;

    /// <param name="first">The first pause.</param>
    /// <param name="most">The longest pause.</param>
    public RetryPauses(TimeSpan first, TimeSpan most) => (_first, _most, _next) = (first, most, first);

    /// <summary>Returns the next pause.</summary>
    /// <param name="asked">The <c>Retry-After</c> of the server; zero if there is none.</param>
    public TimeSpan Next(TimeSpan asked)
    {
        TimeSpan pause = _next * (1 - (Random.Shared.NextDouble() / 2));
        _next = 2 * _next < _most ? 2 * _next : _most;
        return asked > pause ? asked : pause;
    }

    /// <summary>Starts again with the first pause.</summary>
    public void Reset() => _next = _first;

    /// <summary>
    /// Reads <c>Retry-After</c> (RFC 9110 §10.2.3), which is a number of seconds or a date. Returns zero if it is missing, malformed or in the past.
    /// </summary>
    public static TimeSpan AskedBy(HttpResponseMessage? response, TimeProvider clock)
    {
        TimeSpan asked = response?.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > LongestAsked ? LongestAsked : asked;
    }
}
