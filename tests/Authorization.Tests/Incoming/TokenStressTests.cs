using System.Text;
using McpProxyFast.Admission;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>Many threads ask the gate while keys rotate and tokens expire; what each is told must have been true at some moment of its asking.</summary>
public sealed class TokenStressTests
{
    private const int Rotations = 40;
    private const int Askers = 8;
    private const int TokensPerKey = 20;

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly TokenForge _forge;
    private volatile string _published = "";
    private volatile Sample[] _samples = [];
    private volatile bool _done;

    /// <summary>How many admissions each asker has seen.</summary>
    private readonly int[] _admissions = new int[Askers];

    public TokenStressTests() => _forge = new TokenForge("https://login.example.com", _clock);

    [Fact]
    public async Task NoVerdictIsEverWrong()
    {
        JwtPolicy policy = TokenPolicy.Oidc("https://login.example.com", TokenForge.Audience) with { ClockSkew = TimeSpan.Zero };
        var keys = new IssuerKeyCache(_ => Task.FromResult<ReadOnlyMemory<byte>>(Encoding.ASCII.GetBytes(_published)), _clock, NullLogger.Instance);
        await using var gate = new TokenGate(new JwtValidator(policy, keys, _clock), keys, _clock, NullLogger.Instance);

        Task[] askers = [.. Enumerable.Range(0, Askers).Select(asker => Task.Run(() => AskAsync(gate, asker)))];
        await RotateAsync(gate);

        // Each gets its turn on a thread, however few there are, while there is still something to admit.
        Task each = Patience.UntilAsync(() => Array.TrueForAll(_admissions, count => count > 0), "An asker has seen no admission.");
        await await Task.WhenAny([.. askers, each]);
        _done = true;
        await Task.WhenAll(askers);
    }

    /// <summary>Each round publishes a fresh key beside the last one and withdraws the one before.</summary>
    private async Task RotateAsync(TokenGate gate)
    {
        PublishedKey? last = null;
        for (int round = 0; round < Rotations; round++)
        {
            PublishedKey? retiring = last;
            last = new PublishedKey(TestKey.Curve($"key-{round}", "P-256"));
            Array.ForEach(_samples, sample => sample.Key.IsRetiring |= sample.Key != retiring);
            _published = TestKey.SetOf(retiring is null ? [last.Key] : [last.Key, retiring.Key]);
            _clock.Advance(IssuerKeyCache.RefetchPause);
            await gate.DecideAsync(Encoding.ASCII.GetBytes(_forge.Make(last.Key)), default);
            Array.ForEach(_samples, sample => sample.Key.IsWithdrawn |= sample.Key.IsRetiring);
            _samples = [.. _samples.TakeLast(3 * TokensPerKey), .. Enumerable.Range(0, TokensPerKey).Select(index => MakeSample(last, index))];
        }
    }

    private Sample MakeSample(PublishedKey key, int index)
    {
        DateTimeOffset expires = DateTimeOffset.FromUnixTimeSeconds(_forge.Seconds(TimeSpan.FromSeconds(2 + index)));
        bool isForged = index % 5 == 0;
        string caller = $"{key.Key.Id}-{index}";
        string token = _forge.Make(isForged ? TestKey.Curve(key.Key.Id, "P-256") : key.Key, payload: payload =>
        {
            payload["sub"] = caller;
            payload["exp"] = expires.ToUnixTimeSeconds();
        });
        return new Sample(key, Encoding.ASCII.GetBytes(token), caller, expires, isForged);
    }

    private async Task AskAsync(TokenGate gate, int asker)
    {
        var random = new Random(asker);
        var memo = new TokenMemo();
        while (!_done)
        {
            await Task.Yield(); // there may be more askers than threads
            if (_samples is not { Length: > 0 } samples)
            {
                continue;
            }

            Sample sample = samples[random.Next(samples.Length)];
            bool mustRefuse = sample.IsForged || sample.Key.IsWithdrawn || sample.Expires <= _clock.GetUtcNow();
            bool wasGood = !sample.IsForged && !sample.Key.IsRetiring;
            if (!gate.TryDecide(sample.Token, ref memo, out TokenVerdict? verdict))
            {
                verdict = await gate.DecideAsync(sample.Token, default);
            }

            bool isGood = wasGood && !sample.Key.IsRetiring && sample.Expires > _clock.GetUtcNow();
            _admissions[asker] += Check(sample, verdict, mustRefuse, mustAdmit: isGood);
        }
    }

    private static int Check(Sample sample, TokenVerdict verdict, bool mustRefuse, bool mustAdmit)
    {
        bool isAdmitted = verdict.Kind is TokenVerdictKind.Admitted;
        Assert.False(mustRefuse && isAdmitted, $"{sample.Caller} was admitted.");
        Assert.False(mustAdmit && verdict.Kind is TokenVerdictKind.InvalidToken, $"{sample.Caller} was refused: {verdict.Reason}.");
        Assert.True(!isAdmitted || verdict.Caller == sample.Caller, $"{sample.Caller} was taken for {verdict.Caller}.");
        return isAdmitted ? 1 : 0;
    }

    private sealed class PublishedKey(TestKey key)
    {
        public volatile bool IsRetiring;
        public volatile bool IsWithdrawn;

        public TestKey Key => key;
    }

    private sealed record Sample(PublishedKey Key, byte[] Token, string Caller, DateTimeOffset Expires, bool IsForged);
}
