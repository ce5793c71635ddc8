using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Checks in the background whether other processes have changed the credential store: by a sign-out, a sign-in, or a renewal.</summary>
internal sealed class StoreWatch : IAsyncDisposable
{
    /// <summary>The time between two checks. If nothing has changed, a check takes one system call.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>The time between two checks of a store that cannot be read.</summary>
    private static readonly TimeSpan PeriodInTrouble = TimeSpan.FromSeconds(10);

    /// <summary>Reads the store. Valid until the watch is disposed of.</summary>
    private readonly AuthorizationClient _client;

    /// <summary>The current token, which is dropped after a sign-out.</summary>
    private readonly HeldToken _token;

    /// <summary>Takes over a credential that another process has obtained. Never changes.</summary>
    private readonly Action<HeldCredential> _takeOver;

    /// <summary>The target's origin, for the log. Never changes.</summary>
    private readonly string _target;

    /// <summary>Logs what a person must know. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Runs a check after each period. Valid until disposed of.</summary>
    private readonly Supervised _looking;

    public StoreWatch(AuthorizationClient client, HeldToken token, Action<HeldCredential> takeOver, string target, TimeProvider clock, ILogger logger)
    {
        (_client, _token, _takeOver, _target, _logger) = (client, token, takeOver, target, logger);
        _looking = new Supervised("watch over the credential store", LookAsync, clock, logger);
    }

    /// <summary>Starts the checks if other processes can change the store.</summary>
    public void Start()
    {
        if (_client.IsShared)
        {
            _looking.Schedule(Period);
        }
    }

    public ValueTask DisposeAsync() => _looking.DisposeAsync();

    private async Task<TimeSpan> LookAsync(CancellationToken stopping)
    {
        try
        {
            if (await _client.LookAsync(stopping).ConfigureAwait(false) is { } news)
            {
                Take(news);
            }

            return Period;
        }
        catch (OAuthException failure)
        {
            _logger.StoreNotSeen(failure.Message);
            return PeriodInTrouble;
        }
    }

    private void Take(StoreNews news)
    {
        HeldCredential? held = _token.Held;
        if (news.Held is { } kept)
        {
            if (!kept.Is(held))
            {
                _takeOver(kept);
            }
        }
        else if (news.IsSignedOut && held?.Generation != news.Generation && _token.Withdraw(news.Order))
        {
            // A token that was obtained after the sign-out, without a person, has the same generation as the signed-out entry. It stays in use, and this code
            // does not run.
            _logger.SignedOut(_target);
        }
    }
}
