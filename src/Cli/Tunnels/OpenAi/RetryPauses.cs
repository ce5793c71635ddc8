namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Pauses between attempts: doubled each time up to a limit, shortened by a random part of up to half, and never below Retry-After.</summary>
internal sealed class RetryPauses
{
    /// <summary>Cap for <c>Retry-After</c>.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromSeconds(60);

    private readonly TimeSpan _first;
    private readonly TimeSpan _most;

    /// <summary>The next pause, before the random part is taken off.</summary>
    private TimeSpan _next;

    /// <param name="first">The first pause.</param>
    /// <param name="most">The longest.</param>
    public RetryPauses(TimeSpan first, TimeSpan most) => (_first, _most, _next) = (first, most, first);

    /// <summary>The next pause.</summary>
    /// <param name="asked">The <c>Retry-After</c> of the server; zero for none.</param>
    public TimeSpan Next(TimeSpan asked)
    {
        TimeSpan pause = _next * (1 - (Random.Shared.NextDouble() / 2));
        _next = 2 * _next < _most ? 2 * _next : _most;
        return asked > pause ? asked : pause;
    }

    /// <summary>Starts again with the first pause.</summary>
    public void Reset() => _next = _first;

    /// <summary>Reads <c>Retry-After</c> (RFC 9110 §10.2.3). Zero if it is missing, malformed or in the past.</summary>
    public static TimeSpan AskedBy(HttpResponseMessage? response)
    {
        TimeSpan asked = response?.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => TimeSpan.Zero,
        };
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > LongestAsked ? LongestAsked : asked;
    }
}
