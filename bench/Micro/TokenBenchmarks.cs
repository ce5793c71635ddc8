using BenchmarkDotNet.Attributes;
using McpProxyFast.Admission;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpProxyFast.Micro;

/// <summary>A token that is known already: by the connection's memo, by the cache, and by the cache from two threads.</summary>
[MemoryDiagnoser]
public class TokenBenchmarks
{
    private const int Contended = 1_000;

    private readonly byte[] _token = [.. Enumerable.Range(0, 900).Select(number => (byte)('a' + (number % 26)))];
    private readonly TokenGate _gate = new(new AdmitsAll(), keys: null, TimeProvider.System, NullLogger.Instance);
    private TokenMemo _memo;

    [GlobalSetup]
    public async Task Prepare()
    {
        TokenVerdict verdict = await _gate.DecideAsync(_token, CancellationToken.None);
        if (verdict.Kind is not TokenVerdictKind.Admitted || !Memo() || !Cache())
        {
            throw new InvalidOperationException("The benchmark is broken: the token should be known by now.");
        }
    }

    [GlobalCleanup]
    public async Task CleanUp() => await _gate.DisposeAsync();

    [Benchmark]
    public bool Memo() => _gate.TryDecide(_token, ref _memo, out _);

    [Benchmark]
    public bool Cache()
    {
        TokenMemo none = default;
        return _gate.TryDecide(_token, ref none, out _);
    }

    [Benchmark(OperationsPerInvoke = 2 * Contended)]
    public void CacheFromTwoThreads() => Parallel.For(0, 2, new ParallelOptions { MaxDegreeOfParallelism = 2 }, _ =>
    {
        for (int i = 0; i < Contended; i++)
        {
            Cache();
        }
    });

    private sealed class AdmitsAll : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Admit("caller", DateTimeOffset.UtcNow.AddHours(1)));
    }
}
