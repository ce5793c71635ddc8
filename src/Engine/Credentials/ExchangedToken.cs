using McpProxyFast.Tokens;

namespace McpProxyFast.Credentials;

/// <summary>The token that one exchange has issued. Only the time of its last use and the state of its renewal change after construction.</summary>
internal sealed class ExchangedToken : CachedEntry
{
    /// <summary>
    /// The maximum length, in bytes, up to which the subject's and the actor's token (together) are kept for comparison. Longer ones are hashed for each
    /// request instead.
    /// </summary>
    /// <remarks>A credential line has at most 16 KiB, so a full cache holds at most 160 MiB. With tokens of usual size it holds about 20 MiB.</remarks>
    private const int MaxKeptBytes = 4 * 1024;

    /// <summary>
    /// The precision of the time of last use. The time is written only if it differs by more than this, so that connections that share a token do not contend
    /// for a CPU cache line.
    /// </summary>
    private const long UsePrecision = TimeSpan.TicksPerSecond;

    private const int NotRenewing = 0;
    private const int Renewing = 1;

    /// <summary>The tokens that were exchanged; null if they are too long to keep. Never changes.</summary>
    private readonly ExchangeInput? _input;

    /// <summary>UTC ticks of the last use, with the precision <see cref="UsePrecision"/>.</summary>
    private long _usedAtTicks;

    /// <summary>The time from which the token is to be renewed, in UTC ticks.</summary>
    private long _renewAtTicks;

    /// <summary>Whether a renewal has been started. Reset by <see cref="RenewLater"/>.</summary>
    private int _renewal = NotRenewing;

    /// <param name="digest">The digest of everything that the exchange depends on.</param>
    /// <param name="input">The tokens that were exchanged.</param>
    /// <param name="authorization">The value of the header field that carries the token.</param>
    /// <param name="field">The name of that header field.</param>
    /// <param name="span">When the token was issued, when it is to be renewed, and when it stops being sent.</param>
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

    /// <summary>The time of last use. The cache evicts the entry with the lowest value first.</summary>
    public override long Worth => Volatile.Read(ref _usedAtTicks);

    /// <summary>Whether the token was obtained in exchange for exactly these tokens. False if they were too long to be kept.</summary>
    /// <remarks>The time that the comparison takes reveals nothing useful, for the reasons at <c>CachedVerdict.IsAbout</c>.</remarks>
    public bool IsFor(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) => _input is not null && _input.Is(subject, actor);

    public bool IsLive(long nowTicks) => IsLive(nowTicks, epoch: 0);

    /// <summary>Records that the token is used now.</summary>
    /// <returns>Whether the calling request must start a renewal. Only one request gets true for each renewal.</returns>
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

    /// <summary>Allows another renewal from this time on. Called if a renewal has failed or could not start.</summary>
    public void RenewLater(long atTicks)
    {
        Volatile.Write(ref _renewAtTicks, atTicks);
        Volatile.Write(ref _renewal, NotRenewing);
    }
}

/// <summary>The tokens that are sent in one exchange, as bytes. They are compared byte by byte.</summary>
/// <param name="Subject">The token to exchange; never empty.</param>
/// <param name="Actor">The actor's token; empty if there is none.</param>
internal sealed record ExchangeInput(byte[] Subject, byte[] Actor)
{
    public int Length => Subject.Length + Actor.Length;

    /// <summary>
    /// When the subject's token expires, as its validation has found; null if that is not known. The claim <c>exp</c> of a JWT is considered in addition.
    /// </summary>
    public DateTimeOffset? SubjectEndsAt { get; init; }

    public bool Is(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> actor) => subject.SequenceEqual(Subject) && actor.SequenceEqual(Actor);

    /// <summary>A text for logs without the tokens.</summary>
    public override string ToString() => "ExchangeInput (redacted)";
}

/// <summary>The lifetime of an exchanged token, in UTC ticks.</summary>
/// <param name="StartTicks">When the token was issued.</param>
/// <param name="RenewTicks">The time from which the token is renewed if it is used.</param>
/// <param name="EndTicks">The time from which the token is not sent any more.</param>
internal readonly record struct ExchangeSpan(long StartTicks, long RenewTicks, long EndTicks);

/// <summary>A failed exchange, and the answer for requests until the exchange may be tried again.</summary>
internal sealed class FailedExchange(in TokenDigest digest, CredentialResult result, long failedAtTicks, long expiresAtTicks)
    : CachedEntry(digest, failedAtTicks, expiresAtTicks, epoch: 0)
{
    public CredentialResult Result => result;

    public override bool IsGood => false;

    /// <summary>When the exchange may be tried again. The cache evicts the entry with the lowest value first.</summary>
    public override long Worth => ExpiresAtTicks;
}
