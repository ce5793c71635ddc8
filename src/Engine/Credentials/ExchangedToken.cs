using McpProxyFast.Tokens;

namespace McpProxyFast.Credentials;

/// <summary>What one exchange has given, for whom, and until when. But for its use and its renewal, nothing of it ever changes.</summary>
internal sealed class ExchangedToken : CachedEntry
{
    /// <summary>Longest tokens whose bytes are kept to compare with. A longer one is hashed at each request, and nothing else changes.</summary>
    /// <remarks>The line has at most 16 KiB: a full cache holds 160 MiB when all are at their largest, and some 20 MiB as tokens usually are.</remarks>
    private const int MaxKeptBytes = 4 * 1024;

    /// <summary>How exactly the last use is known. Written no more often, so that connections with one token do not all write one cache line.</summary>
    private const long UsePrecision = TimeSpan.TicksPerSecond;

    private const int NotRenewing = 0;
    private const int Renewing = 1;

    /// <summary>The tokens that were exchanged; null where they are too long to keep. Set for life.</summary>
    private readonly ExchangeInput? _input;

    /// <summary>UTC ticks of the last use, as exactly as <see cref="UsePrecision"/>.</summary>
    private long _usedAtTicks;

    /// <summary>UTC ticks from which on it is to be renewed.</summary>
    private long _renewAtTicks;

    /// <summary>Whether it is being renewed, or has been.</summary>
    private int _renewal = NotRenewing;

    /// <param name="digest">Of the whole request.</param>
    /// <param name="input">The tokens that were exchanged.</param>
    /// <param name="authorization">The value to send.</param>
    /// <param name="field">The field that carries it.</param>
    /// <param name="span">From when to when, in UTC ticks, and when it is to be renewed.</param>
    public ExchangedToken(in TokenDigest digest, ExchangeInput input, string authorization, string field, in ExchangeSpan span)
        : base(digest, span.EndTicks, epoch: 0)
    {
        _input = input.Length <= MaxKeptBytes ? input : null;
        _usedAtTicks = span.StartTicks;
        _renewAtTicks = span.RenewTicks;
        StartTicks = span.StartTicks;
        Line = CredentialLine.For(authorization, endsAt: null, token: this, field);
    }

    public CredentialLine Line { get; }

    /// <summary>UTC ticks at which it was issued.</summary>
    public long StartTicks { get; }

    public override bool IsGood => true;

    /// <summary>The longest unused makes room.</summary>
    public override long Worth => Volatile.Read(ref _usedAtTicks);

    /// <summary>Whether it was given for these very tokens.</summary>
    /// <remarks>As with the gate's memo, only a connection that has itself presented the token gets here.</remarks>
    public bool IsFor(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) => _input is not null && _input.Is(subject, actor);

    public bool IsLive(long nowTicks) => IsLive(nowTicks, epoch: 0);

    /// <summary>Notes that it is used.</summary>
    /// <returns>Whether it is to be renewed, which one caller is told.</returns>
    public bool Use(long nowTicks)
    {
        if (nowTicks - Volatile.Read(ref _usedAtTicks) > UsePrecision)
        {
            Volatile.Write(ref _usedAtTicks, nowTicks);
        }

        return nowTicks >= Volatile.Read(ref _renewAtTicks)
            && Volatile.Read(ref _renewal) == NotRenewing
            && Interlocked.Exchange(ref _renewal, Renewing) == NotRenewing;
    }

    /// <summary>A renewal has failed: another may be tried from this time on.</summary>
    public void RenewLater(long atTicks)
    {
        Volatile.Write(ref _renewAtTicks, atTicks);
        Volatile.Write(ref _renewal, NotRenewing);
    }
}

/// <summary>The tokens of one exchange, as bytes. Both are compared whole.</summary>
/// <param name="Subject">The token to exchange; never empty.</param>
/// <param name="Actor">The token of who acts for it; empty for nobody.</param>
internal sealed record ExchangeInput(byte[] Subject, byte[] Actor)
{
    public int Length => Subject.Length + Actor.Length;

    public bool Is(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) => subject.SequenceEqual(Subject) && actor.SequenceEqual(Actor);

    /// <summary>Says that there are tokens, never which.</summary>
    public override string ToString() => "ExchangeInput (redacted)";
}

/// <summary>The life of an exchanged token, in UTC ticks.</summary>
/// <param name="StartTicks">When it was issued.</param>
/// <param name="RenewTicks">From when on it is renewed, where it is in use.</param>
/// <param name="EndTicks">From when on it is no longer sent.</param>
internal readonly record struct ExchangeSpan(long StartTicks, long RenewTicks, long EndTicks);

/// <summary>An exchange that has failed lately, and what is said of it until it may be tried again. Immutable.</summary>
internal sealed class FailedExchange(in TokenDigest digest, CredentialResult result, long expiresAtTicks) : CachedEntry(digest, expiresAtTicks, epoch: 0)
{
    public CredentialResult Result => result;

    public override bool IsGood => false;

    /// <summary>What may be tried again first makes room.</summary>
    public override long Worth => ExpiresAtTicks;
}
