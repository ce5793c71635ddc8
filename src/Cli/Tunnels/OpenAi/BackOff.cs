namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Pauses between attempts: each twice the last up to a bound, less up to half of it by chance, and never less than the server asked for.</summary>
internal sealed class BackOff
{
    /// <summary>The longest wait that a server's <c>Retry-After</c> is believed for.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromSeconds(60);

    private readonly TimeSpan _first;
    private readonly TimeSpan _most;

    /// <summary>The next pause, before chance is taken off.</summary>
    private TimeSpan _next;

    /// <param name="first">The first pause.</param>
    /// <param name="most">The longest.</param>
    public BackOff(TimeSpan first, TimeSpan most) => (_first, _most, _next) = (first, most, first);

    /// <summary>The next pause.</summary>
    /// <param name="asked">What the server asked for; zero for nothing.</param>
    public TimeSpan Next(TimeSpan asked)
    {
        TimeSpan pause = _next * (1 - (Random.Shared.NextDouble() / 2));
        _next = 2 * _next < _most ? 2 * _next : _most;
        return asked > pause ? asked : pause;
    }

    /// <summary>The next pause is the first again.</summary>
    public void Reset() => _next = _first;

    /// <summary>What a response's <c>Retry-After</c> asks for (RFC 9110 §10.2.3); zero for nothing, and for what is malformed or over.</summary>
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
