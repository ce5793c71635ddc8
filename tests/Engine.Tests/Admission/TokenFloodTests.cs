using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

/// <summary>Nothing else runs beside it: what is measured is the whole process's.</summary>
[CollectionDefinition(nameof(TokenFloodTests), DisableParallelization = true)]
[Collection(nameof(TokenFloodTests))]
public sealed class TokenFloodTests
{
    private const int BadTokens = 50_000;
    private const int TokenLength = 2_000;

    [Fact]
    public async Task DistinctBadTokensLeaveMemoryBoundedAndTheGoodTokenKnown()
    {
        byte[] good = "good"u8.ToArray();
        var validator = new ScriptedValidator(token => token == "good" ? TokenVerdict.Admit("caller", DateTimeOffset.MaxValue) : TokenVerdict.Invalid("bad"));
        await using var gate = new TokenGate(validator, keys: null, TimeProvider.System, NullLogger.Instance);
        await gate.DecideAsync(good, default);
        long before = GC.GetTotalMemory(forceFullCollection: true);

        for (int i = 0; i < BadTokens; i++)
        {
            await gate.DecideAsync(Encoding.ASCII.GetBytes($"{i}-{new string('a', TokenLength)}"), default);
        }

        // Kept whole, the tokens alone would be 100 MB; a refusal's entry takes about 200 bytes.
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < TokenCache<CachedVerdict>.Capacity * 1_000L, $"{grown} bytes");
        var memo = new TokenMemo();
        Assert.True(gate.TryDecide(good, ref memo, out _));
    }
}
