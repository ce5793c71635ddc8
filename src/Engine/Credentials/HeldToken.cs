using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Store;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>
/// The current token, the header line with it, and the time of its renewal. They are replaced together. A later token is never replaced by an earlier one.
/// </summary>
internal sealed class HeldToken : IAsyncDisposable
{
    /// <summary>Measures lifetimes. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Whether a new token can be obtained without a person if there is no refresh token. Never changes.</summary>
    private readonly bool _needsNobody;

    /// <summary>The timer that starts the renewal of the current token. Valid until disposed of.</summary>
    private readonly RenewalTimer _renewal;

    /// <summary>A lock that is held briefly while the token is replaced.</summary>
    private readonly Lock _replacing = new();

    /// <summary>The header line that requests carry; null if there is no token.</summary>
    private volatile CredentialLine? _line;

    /// <summary>The credential whose token is in <c>_line</c>; null if there is no token. Its refresh token may have been dropped.</summary>
    private volatile HeldCredential? _held;

    /// <summary>
    /// The order number (<see cref="HeldCredential.Order"/>) of the last credential that was set or withdrawn. Used only while <c>_replacing</c> is held.
    /// </summary>
    private long _order;

    /// <param name="needsPerson">Whether a person has to sign in to get a new token if there is no refresh token.</param>
    /// <param name="onDue">Renews the token when it is due.</param>
    /// <param name="clock">Measures lifetimes.</param>
    /// <param name="logger">Logs exceptions of renewals.</param>
    public HeldToken(bool needsPerson, Func<Task> onDue, TimeProvider clock, ILogger logger)
    {
        (_needsNobody, _clock) = (!needsPerson, clock);
        _renewal = new RenewalTimer(clock, onDue, logger);
    }

    /// <summary>The header line to send now; null if there is none, or its token has expired.</summary>
    /// <remarks>On the request path.</remarks>
    public CredentialLine? Line => _line is { } line && line.IsGoodAt(_clock.GetUtcNow()) ? line : null;

    public HeldCredential? Held => _held;

    /// <summary>Returns the credential if its renewal is due, otherwise null. A due renewal is returned only once, so that it is made once.</summary>
    public HeldCredential? TakeDue()
    {
        lock (_replacing)
        {
            if (_held is not { } due || !_renewal.IsDue())
            {
                return null;
            }

            _renewal.Set(null);
            return due;
        }
    }

    /// <summary>Schedules another renewal after a failed one, unless only a person could get a new token.</summary>
    public void RetryAfter(TimeSpan pause)
    {
        lock (_replacing)
        {
            if (_held is { } held && CanRenewAlone(held))
            {
                _renewal.Set(_clock.GetUtcNow() + pause);
            }
        }
    }

    /// <summary>
    /// Replaces the current credential, unless a later one has been set or withdrawn meanwhile. If the access token is the same, the header line is kept.
    /// </summary>
    public void Replace(HeldCredential held)
    {
        TokenSet tokens = held.Tokens;
        CredentialLine line = CredentialLine.For(
            $"{tokens.TokenType} {tokens.AccessToken}", RenewalSchedule.EndOfUse(tokens.IssuedAt, tokens.ExpiresAt), held);
        lock (_replacing)
        {
            if (held.Order < _order)
            {
                return;
            }

            _order = held.Order;
            bool isSame = _line is not null && held.Is(_held);
            _held = held;
            if (isSame)
            {
                return; // the line must stay the same object, since requests compare its token object by reference
            }

            _renewal.Set(tokens.ExpiresAt is { } end && CanRenewAlone(held) ? RenewalSchedule.DueAt(tokens.IssuedAt, end) : null);

            // The line is set last, so that its renewal is already scheduled when a request sees it.
            _line = line;
        }
    }

    /// <summary>Drops the refresh token, which no longer works. The access token stays in use until it expires.</summary>
    public void DropRefreshToken(HeldCredential lost)
    {
        lock (_replacing)
        {
            if (_held is { } held && held.Is(lost))
            {
                _held = held.WithoutRefreshToken();
            }
        }
    }

    /// <summary>Drops the current credential, unless a later one has been set meanwhile.</summary>
    /// <returns>Whether a credential was dropped.</returns>
    public bool Withdraw(long order)
    {
        lock (_replacing)
        {
            if (order < _order || _held is null)
            {
                return false;
            }

            (_order, _line, _held) = (order, null, null);
            _renewal.Set(null);
            return true;
        }
    }

    public ValueTask DisposeAsync() => _renewal.DisposeAsync();

    // Whether the credential can be renewed without a person. If a person is needed, the person is asked only when a request needs a token.
    private bool CanRenewAlone(HeldCredential held) => held.Tokens.RefreshToken is not null || _needsNobody;
}
