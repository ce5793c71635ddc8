using BenchmarkDotNet.Attributes;
using McpProxyFast.OAuth.Grants;

namespace McpProxyFast.Micro;

/// <summary>What a token that is bound to a key costs each request: one proof (RFC 9449), made off the sockets' threads.</summary>
[MemoryDiagnoser]
public class ProofBenchmarks
{
    private const string Token = "an-access-token-of-the-usual-length-0123456789";

    private static readonly Uri Target = new("https://mcp.example.com/mcp");

    private readonly DPoPKey _key = DPoPKey.Create(TimeProvider.System);

    [GlobalSetup]
    public void Prepare()
    {
        if (Proof().Split('.').Length != 3 || Proof() == Proof())
        {
            throw new InvalidOperationException("The benchmark is broken: each proof is a JWT of its own.");
        }
    }

    [Benchmark]
    public string Proof() => _key.Prove("POST", Target, nonce: "a-nonce", Token);
}
