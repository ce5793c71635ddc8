using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Store;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>The current token, the header line with it, and the time of its renewal. They are replaced together, and never by older ones.</summary>
internal sealed class HeldToken : IAsyncDisposable
{
    /// <summary>Measures lifetimes. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Whether a token without a refresh token can be replaced without a person. Never changes.</summary>
    private readonly bool _needsNobody;

    /// <summary>The timer for the renewal of the current token.</summary>
    private readonly RenewalTimer _renewal;

    /// <summary>A lock that is held briefly while the token is replaced.</summary>
    private readonly Lock _replacing = new();

    /// <summary>The field line that requests carry; null if there is none.</summary>
    private volatile CredentialLine? _line;

    /// <summary>The credential in that line; null if there is none.</summary>
    private volatile HeldCredential? _held;

    /// <summary>The order number of the last change (<see cref="HeldCredential.Order"/>). Used under the lock.</summary>
    private long _order;

    /// <param name="needsPerson">Whether a person has to act if there is no refresh token.</param>
    /// <param name="onDue">Renews the token when it is due.</param>
    /// <param name="clock">Measures lifetimes.</param>
    /// <param name="logger">Logs exceptions of renewals.</param>
    public HeldToken(bool needsPerson, Func<Task> onDue, TimeProvider clock, ILogger logger)
    {
        (_needsNobody, _clock) = (!needsPerson, clock);
        _renewal = new RenewalTimer(clock, onDue, logger);
    }

    /// <summary>The line to send now; null if there is none, or its token has expired.</summary>
    /// <remarks>On the request path.</remarks>
    public CredentialLine? Line => _line is { } line && line.IsGoodAt(_clock.GetUtcNow()) ? line : null;

    public HeldCredential? Held => _held;

    /// <summary>Returns the credential if it is due for renewal, otherwise null. It is returned only once.</summary>
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

    /// <summary>Schedules another try after a failed renewal, unless a person has to act.</summary>
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

    /// <summary>Replaces the current credential, unless a later one has come meanwhile, or both are the same.</summary>
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
                return; // the line must stay the same object, since requests compare lines by reference
            }

            _renewal.Set(tokens.ExpiresAt is { } end && CanRenewAlone(held) ? RenewalSchedule.DueAt(tokens.IssuedAt, end) : null);

            // The line is set last, so that a request that sees it can rely on its renewal.
            _line = line;
        }
    }

    /// <summary>Drops the refresh token, which no longer works. The access token is used until it expires.</summary>
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

    /// <summary>Drops the current credential, unless a later one has come meanwhile.</summary>
    /// <returns>Whether there was a credential.</returns>
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

    // Whether the credential can be renewed ahead of time. If that needs a person, the person is asked only when a request needs a token.
    private bool CanRenewAlone(HeldCredential held) => held.Tokens.RefreshToken is not null || _needsNobody;
}
