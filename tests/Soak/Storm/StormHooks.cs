namespace McpProxyFast.Soak.Storm;

/// <summary>A host's hooks, which throw now and then: that is theirs to do, and must harm no more than the request at hand.</summary>
internal sealed class StormHooks(int seed) : IProxyObserver, ICredentialSource, ITokenValidator
{
    private readonly Random _random = new(seed);
    private long _reported;

    /// <summary>Exchanges that were reported.</summary>
    public long Reported => Volatile.Read(ref _reported);

    public void OnExchangeEnded(in ExchangeReport report)
    {
        Interlocked.Increment(ref _reported);
        MayThrow(200);
    }

    public async ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken)
    {
        await Task.Delay(Next(3), cancellationToken);
        MayThrow(10);
        return new OutgoingCredential("Bearer storm", DateTimeOffset.UtcNow.AddSeconds(2));
    }

    public async ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        await Task.Delay(Next(3), cancellationToken);
        MayThrow(10);
        return TokenVerdict.Admit("storm", DateTimeOffset.UtcNow.AddSeconds(Next(2)));
    }

    /// <summary>Throws once in so many times, whatever comes to its mind.</summary>
    public void MayThrow(int times)
    {
        if (Next(times) == 0)
        {
            throw Next(4) switch
            {
                0 => new IOException("The storm's."),
                1 => new TimeoutException("The storm's."),
                2 => new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionReset),
                _ => new InvalidOperationException("The storm's."),
            };
        }
    }

    public int Next(int below)
    {
        lock (_random)
        {
            return _random.Next(below);
        }
    }
}
