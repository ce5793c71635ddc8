using McpProxyFast.Tokens;

namespace McpProxyFast.Credentials;

/// <summary>The result of one exchange. Only its last use and the state of its renewal change after construction.</summary>
internal sealed class ExchangedToken : CachedEntry
{
    /// <summary>
    /// The maximum length, in bytes, of tokens that are kept for comparison. Longer tokens are hashed for each request; otherwise they are treated the same.
    /// </summary>
    /// <remarks>A line has at most 16 KiB, so a full cache holds at most 160 MiB; with tokens of usual size it holds about 20 MiB.</remarks>
    private const int MaxKeptBytes = 4 * 1024;

    /// <summary>
    /// The precision of the time of last use. It is not written more often than this, so that connections that share a token do not contend for a cache line.
    /// </summary>
    private const long UsePrecision = TimeSpan.TicksPerSecond;

    private const int NotRenewing = 0;
    private const int Renewing = 1;

    /// <summary>The tokens that were exchanged; null if they are too long to keep. Never changes.</summary>
    private readonly ExchangeInput? _input;

    /// <summary>UTC ticks of the last use, with the precision <see cref="UsePrecision"/>.</summary>
    private long _usedAtTicks;

    /// <summary>UTC ticks from which on the token is to be renewed.</summary>
    private long _renewAtTicks;

    /// <summary>Whether a renewal is in progress or done.</summary>
    private int _renewal = NotRenewing;

    /// <param name="digest">The digest of everything that the exchange depends on.</param>
    /// <param name="input">The tokens that were exchanged.</param>
    /// <param name="authorization">The value of the field that is sent.</param>
    /// <param name="field">The name of the field.</param>
    /// <param name="span">When the token was issued, when it is to be renewed, and when it expires.</param>
    public ExchangedToken(in TokenDigest digest, ExchangeInput input, string authorization, string field, in ExchangeSpan span)
        : base(digest, span.StartTicks, span.EndTicks, epoch: 0)
    {
        _input = input.Length <= MaxKeptBytes ? input : null;
        _usedAtTicks = span.StartTicks;
        _renewAtTicks = span.RenewTicks;
        StartTicks = span.StartTicks;
        SubjectEndsAt = input.SubjectEndsAt;
        Line = CredentialLine.For(authorization, endsAt: null, token: this, field);
    }

    public CredentialLine Line { get; }

    /// <summary>UTC ticks at which the token was issued.</summary>
    public long StartTicks { get; }

    /// <summary>When the subject's token expires, see <see cref="ExchangeInput.SubjectEndsAt"/>. Never changes.</summary>
    public DateTimeOffset? SubjectEndsAt { get; }

    public override bool IsGood => true;

    /// <summary>The time of last use: the cache evicts the entry with the lowest value.</summary>
    public override long Worth => Volatile.Read(ref _usedAtTicks);

    /// <summary>Whether the token was exchanged for exactly these tokens.</summary>
    /// <remarks>The comparison's timing reveals nothing useful, for the reasons at <c>CachedVerdict.IsAbout</c>.</remarks>
    public bool IsFor(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) => _input is not null && _input.Is(subject, actor);

    public bool IsLive(long nowTicks) => IsLive(nowTicks, epoch: 0);

    /// <summary>Records a use.</summary>
    /// <returns>Whether the caller must renew the token now. Only one caller gets true.</returns>
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

    /// <summary>Allows another renewal from this time on. Called after a renewal has failed.</summary>
    public void RenewLater(long atTicks)
    {
        Volatile.Write(ref _renewAtTicks, atTicks);
        Volatile.Write(ref _renewal, NotRenewing);
    }
}

/// <summary>The tokens of one exchange, as bytes. They are compared byte by byte.</summary>
/// <param name="Subject">The token to exchange; never empty.</param>
/// <param name="Actor">The actor's token; empty if there is none.</param>
internal sealed record ExchangeInput(byte[] Subject, byte[] Actor)
{
    public int Length => Subject.Length + Actor.Length;

    /// <summary>When the subject's token expires, according to its check; null if that is not known. For a JWT, the claim <c>exp</c> is read.</summary>
    public DateTimeOffset? SubjectEndsAt { get; init; }

    public bool Is(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) => subject.SequenceEqual(Subject) && actor.SequenceEqual(Actor);

    /// <summary>A text for logs without the tokens.</summary>
    public override string ToString() => "ExchangeInput (redacted)";
}

/// <summary>The lifetime of an exchanged token, in UTC ticks.</summary>
/// <param name="StartTicks">When the token was issued.</param>
/// <param name="RenewTicks">From when on the token is renewed if it is used.</param>
/// <param name="EndTicks">From when on the token is not sent any more.</param>
internal readonly record struct ExchangeSpan(long StartTicks, long RenewTicks, long EndTicks);

/// <summary>A recent failure, and the answer to requests until the exchange may be tried again.</summary>
internal sealed class FailedExchange(in TokenDigest digest, CredentialResult result, long failedAtTicks, long expiresAtTicks)
    : CachedEntry(digest, failedAtTicks, expiresAtTicks, epoch: 0)
{
    public CredentialResult Result => result;

    public override bool IsGood => false;

    /// <summary>When the exchange may be tried again: the cache evicts the entry with the lowest value.</summary>
    public override long Worth => ExpiresAtTicks;
}
