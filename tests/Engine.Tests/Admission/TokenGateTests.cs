using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class TokenGateTests
{
    private static readonly byte[] Token = "some-token"u8.ToArray();

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task KnownTokenIsDecidedFromMemory()
    {
        ScriptedValidator validator = Admitting(TimeSpan.FromMinutes(5));
        await using TokenGate gate = Gate(validator);
        var memo = new TokenMemo();

        Assert.False(gate.TryDecide(Token, ref memo, out _));
        TokenVerdict first = await gate.DecideAsync(Token, default);
        bool known = gate.TryDecide(Token, ref memo, out TokenVerdict? second);

        Assert.True(known);
        Assert.Same(first, second);
        Assert.Equal("caller", second!.Caller);
        Assert.Equal(1, validator.Calls);
    }

    [Fact]
    public async Task MemoHoldsForItsOwnTokenOnly()
    {
        await using TokenGate gate = Gate(Admitting(TimeSpan.FromMinutes(5)));
        var memo = new TokenMemo();
        await gate.DecideAsync(Token, default);
        gate.TryDecide(Token, ref memo, out _);

        Assert.False(gate.TryDecide("another-token"u8, ref memo, out _));
    }

    [Fact]
    public async Task ExpiryIsNeverExceededByMemoNorCache()
    {
        await using TokenGate gate = Gate(Admitting(TimeSpan.FromMinutes(5)));
        var memo = new TokenMemo();
        await gate.DecideAsync(Token, default);

        _clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.True(gate.TryDecide(Token, ref memo, out _));

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.False(gate.TryDecide(Token, ref memo, out _));
    }

    [Fact]
    public async Task ForgettingVoidsMemoAndCache()
    {
        await using TokenGate gate = Gate(Admitting(TimeSpan.FromMinutes(5)));
        var memo = new TokenMemo();
        await gate.DecideAsync(Token, default);
        gate.TryDecide(Token, ref memo, out _);

        gate.Forget();

        Assert.False(gate.TryDecide(Token, ref memo, out _));
    }

    [Fact]
    public async Task VerdictByKeysThatAreWithdrawnMeanwhileIsNotKept()
    {
        var answer = new TaskCompletionSource<TokenVerdict>();
        var asked = new TaskCompletionSource();
        await using TokenGate gate = Gate(new ScriptedValidator((_, _) =>
        {
            asked.SetResult();
            return new ValueTask<TokenVerdict>(answer.Task);
        }));
        Task<TokenVerdict> deciding = gate.DecideAsync(Token, default).AsTask();
        await asked.Task;

        gate.Forget();
        answer.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));
        await deciding;

        var memo = new TokenMemo();
        Assert.False(gate.TryDecide(Token, ref memo, out _));
    }

    [Fact]
    public async Task RequestThatComesAfterAWithdrawalDoesNotTakeAnEarlierFlightsVerdict()
    {
        var first = new TaskCompletionSource<TokenVerdict>();
        int calls = 0;
        await using TokenGate gate = Gate(new ScriptedValidator((_, _) =>
            Interlocked.Increment(ref calls) == 1 ? new ValueTask<TokenVerdict>(first.Task) : ValueTask.FromResult(TokenVerdict.Invalid("unknown-key"))));
        Task<TokenVerdict> early = gate.DecideAsync(Token, default).AsTask();
        gate.Forget();
        Task<TokenVerdict> late = gate.DecideAsync(Token, default).AsTask();

        first.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));

        Assert.Equal("admitted", (await early).Reason);
        Assert.Equal("unknown-key", (await late).Reason);
    }

    [Fact]
    public async Task RefusalIsKeptForAShortTime()
    {
        var validator = new ScriptedValidator(_ => TokenVerdict.Invalid("expired"));
        await using TokenGate gate = Gate(validator);
        var memo = new TokenMemo();
        await gate.DecideAsync(Token, default);

        Assert.True(gate.TryDecide(Token, ref memo, out TokenVerdict? verdict));
        Assert.Equal(TokenVerdictKind.InvalidToken, verdict.Kind);

        _clock.Advance(TokenGate.RefusalLifetime);
        Assert.False(gate.TryDecide(Token, ref memo, out _));
    }

    [Fact]
    public async Task UnavailableIsNotKept()
    {
        await using TokenGate gate = Gate(new ScriptedValidator(_ => TokenVerdict.Unavailable("down", 5)));
        var memo = new TokenMemo();

        TokenVerdict verdict = await gate.DecideAsync(Token, default);

        Assert.Equal(TokenVerdictKind.Unavailable, verdict.Kind);
        Assert.False(gate.TryDecide(Token, ref memo, out _));
    }

    [Fact]
    public async Task RequestsWithOneTokenShareOneValidation()
    {
        var answer = new TaskCompletionSource<TokenVerdict>();
        var validator = new ScriptedValidator((_, _) => new ValueTask<TokenVerdict>(answer.Task));
        await using TokenGate gate = Gate(validator);

        Task<TokenVerdict>[] waiting = [.. Enumerable.Range(0, 100).Select(_ => gate.DecideAsync(Token, default).AsTask())];
        answer.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));
        TokenVerdict[] verdicts = await Task.WhenAll(waiting);

        Assert.Equal(1, validator.Calls);
        Assert.All(verdicts, verdict => Assert.Same(verdicts[0], verdict));
    }

    [Fact]
    public async Task RequestThatGivesUpDoesNotSpoilTheOthers()
    {
        var answer = new TaskCompletionSource<TokenVerdict>();
        await using TokenGate gate = Gate(new ScriptedValidator((_, _) => new ValueTask<TokenVerdict>(answer.Task)));
        using var leaving = new CancellationTokenSource();
        Task<TokenVerdict> impatient = gate.DecideAsync(Token, leaving.Token).AsTask();
        Task<TokenVerdict> patient = gate.DecideAsync(Token, default).AsTask();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        answer.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));

        Assert.Equal(TokenVerdictKind.Admitted, (await patient).Kind);
    }

    [Fact]
    public async Task BufferOfTheTokenMayBeReusedAtOnce()
    {
        var asked = new TaskCompletionSource<string>();
        await using TokenGate gate = Gate(new ScriptedValidator(token =>
        {
            asked.SetResult(token);
            return TokenVerdict.Invalid("x");
        }));
        byte[] buffer = [.. Token];

        Task<TokenVerdict> deciding = gate.DecideAsync(buffer, default).AsTask();
        Array.Fill(buffer, (byte)'!');
        await deciding;

        Assert.Equal("some-token", await asked.Task);
    }

    [Fact]
    public async Task SilentValidatorMeansUnavailable()
    {
        var never = new TaskCompletionSource<TokenVerdict>();
        var asked = new TaskCompletionSource();
        await using TokenGate gate = Gate(new ScriptedValidator((_, _) =>
        {
            asked.SetResult();
            return new ValueTask<TokenVerdict>(never.Task);
        }));
        Task<TokenVerdict> deciding = gate.DecideAsync(Token, default).AsTask();
        await asked.Task;

        _clock.Advance(TokenGate.DecisionTimeout);

        Assert.Equal(TokenVerdictKind.Unavailable, (await deciding).Kind);
    }

    [Fact]
    public async Task FailingValidatorMeansUnavailable()
    {
        await using TokenGate gate = Gate(new ScriptedValidator((Func<string, TokenVerdict>)(_ => throw new InvalidOperationException("a bug of the host's"))));

        Assert.Equal("validator-failed", (await gate.DecideAsync(Token, default)).Reason);
    }

    [Fact]
    public async Task NewTokensOfManyCallersAreLookedAtInTurn()
    {
        var answer = new TaskCompletionSource<TokenVerdict>();
        await using TokenGate gate = Gate(new ScriptedValidator((_, _) => new ValueTask<TokenVerdict>(answer.Task)));
        const int callers = TokenGate.MaxPending + 100;
        Task<TokenVerdict>[] waiting = [.. Enumerable.Range(0, callers).Select(index => gate.DecideAsync(Bytes($"token-{index}"), default).AsTask())];
        Assert.DoesNotContain(waiting, deciding => deciding.IsCompleted);

        answer.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));

        Assert.All(await Task.WhenAll(waiting), verdict => Assert.Equal(TokenVerdictKind.Admitted, verdict.Kind));
    }

    [Fact]
    public async Task WaitingTokensAreBounded()
    {
        var answer = new TaskCompletionSource<TokenVerdict>();
        var validator = new ScriptedValidator((_, _) => new ValueTask<TokenVerdict>(answer.Task));
        await using TokenGate gate = Gate(validator);
        const int places = TokenGate.MaxPending + TokenGate.MaxWaiting;
        Task<TokenVerdict>[] waiting = [.. Enumerable.Range(0, places).Select(index => gate.DecideAsync(Bytes($"token-{index}"), default).AsTask())];

        TokenVerdict overflow = await gate.DecideAsync("one-too-many"u8.ToArray(), default);
        answer.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));
        await Task.WhenAll(waiting);
        TokenVerdict after = await gate.DecideAsync("one-too-many"u8.ToArray(), default);

        Assert.Equal(TokenVerdictKind.Unavailable, overflow.Kind);
        Assert.Equal(TokenVerdictKind.Admitted, after.Kind);
    }

    [Fact]
    public async Task LaneWithoutAPlaceTakesNoneFromTheOther()
    {
        var answer = new TaskCompletionSource<TokenVerdict>();
        var hanging = new ScriptedValidator((_, _) => new ValueTask<TokenVerdict>(answer.Task));
        var full = new TokenLane(hanging, new FlightLimits(Running: 1, Waiting: 0, TimeSpan.Zero), "too-many-questions");
        await using var gate = new TokenGate(TokenGate.LaneOf(Admitting(TimeSpan.FromMinutes(5))), full, keys: null, _clock, NullLogger.Instance);
        Task<TokenVerdict> first = gate.DecideAsync("opaque-1"u8.ToArray(), default).AsTask();

        TokenVerdict overflow = await gate.DecideAsync("opaque-2"u8.ToArray(), default);
        TokenVerdict jwt = await gate.DecideAsync("eyJhbGciOiJFUzI1NiJ9.e30.c2ln"u8.ToArray(), default);
        answer.SetResult(TokenVerdict.Admit("caller", DateTimeOffset.MaxValue));

        Assert.Equal((TokenVerdictKind.Unavailable, "too-many-questions", 1), (overflow.Kind, overflow.Reason, overflow.RetryAfterSeconds));
        Assert.Equal(TokenVerdictKind.Admitted, jwt.Kind);
        Assert.Equal(TokenVerdictKind.Admitted, (await first).Kind);
        Assert.Equal(1, hanging.Calls);
    }

    [Theory]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.c2ln", true)]
    [InlineData("e30.e30.c2ln", true)]
    [InlineData("ewogICJhbGciIDogIkVTMjU2Igp9.e30.", true)]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30", false)]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.c2ln.c2ln", false)]
    [InlineData("eyJhbGciOiJFUzI1NiJ9+.e30.c2ln", false)]
    [InlineData("W10.e30.c2ln", false)]
    [InlineData("eg.e30.c2ln", false)]
    [InlineData("e.e30.c2ln", false)]
    [InlineData("ya29.a0Af.x", false)]
    [InlineData("opaque", false)]
    [InlineData("..", false)]
    [InlineData("", false)]
    public void JwtIsToldByItsForm(string token, bool isJwt) => Assert.Equal(isJwt, JwtHeader.IsJwt(Bytes(token)));

    [Theory]
    [InlineData(1_000)]
    [InlineData(CachedVerdict.MaxKeptTokenBytes + 1)]
    public async Task KnownTokenCostsNoAllocation(int tokenLength)
    {
        byte[] token = new byte[tokenLength];
        Array.Fill(token, (byte)'a');
        await using TokenGate gate = Gate(Admitting(TimeSpan.FromDays(1)));
        await gate.DecideAsync(token, default);

        Assert.Equal(0, BytesAllocatedByDeciding(gate, token));
    }

    private static long BytesAllocatedByDeciding(TokenGate gate, byte[] token)
    {
        var memo = new TokenMemo();
        gate.TryDecide(token, ref memo, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            var fresh = new TokenMemo();
            gate.TryDecide(token, ref memo, out _);
            gate.TryDecide(token, ref fresh, out _);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private ScriptedValidator Admitting(TimeSpan lifetime) => new(_ => TokenVerdict.Admit("caller", _clock.GetUtcNow() + lifetime));

    private TokenGate Gate(ITokenValidator validator) => new(validator, keys: null, _clock, NullLogger.Instance);

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
