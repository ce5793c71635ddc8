using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>A bearer token in a file that another program keeps up to date.</summary>
internal sealed class FileBearer(string path, CredentialScope scope, TimeProvider clock, ILogger logger) : UpstreamCredentials(scope)
{
    // The time between two reads. The whole file is read, not only its timestamp: a mounted secret is a symlink whose timestamp never changes.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>Reads the file again at intervals; null before the start.</summary>
    private Supervised? _watch;

    /// <summary>A lock that is held while the file is read. Valid until disposed of.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The header line with the token that was read last; null before the file has been read.</summary>
    private volatile CredentialLine? _line;

    /// <summary>The token in <c>_line</c>; null before the file has been read. Used only while <c>_turn</c> is held.</summary>
    private string? _token;

    public override CredentialLine? Current => _line;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }

        _watch = new Supervised("watch over the bearer token's file", WatchAsync, clock, logger);
        _watch.Schedule(Period);
    }

    public override async ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        await ReadAgainAsync(cancellationToken).ConfigureAwait(false);
        return _line is { } line
            ? CredentialResult.Ready(line)
            : CredentialResult.Unavailable(Period, "bearer-file", $"The proxy cannot read its bearer token from {path}.");
    }

    public override async ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
    {
        if (challenge.AsksForAnother)
        {
            return CredentialResult.PassThrough;
        }

        await ReadAgainAsync(cancellationToken).ConfigureAwait(false);
        return _line is { } line && !ReferenceEquals(line, challenge.Used) ? CredentialResult.Ready(line) : StaticBearer.Refused(challenge);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_watch is not null)
        {
            await _watch.DisposeAsync().ConfigureAwait(false);
        }

        _turn.Dispose();
    }

    private async Task<TimeSpan> WatchAsync(CancellationToken stopping)
    {
        await ReadAgainAsync(stopping).ConfigureAwait(false);
        return Period;
    }

    private async Task ReadAgainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            // While another program replaces the file, it may be missing for a moment. The last token stays in use.
            logger.FileNotRead(failure.Message);
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            string token = await ReadSecret.FromAsync(path, "bearer token", cancellationToken).ConfigureAwait(false);
            if (token.Any(character => character is <= ' ' or >= (char)127))
            {
                throw OAuthException.Refused("secret-file", $"The bearer token file {path} must hold one token: visible ASCII characters without spaces.");
            }

            if (token != _token)
            {
                _line = CredentialLine.For($"Bearer {token}", endsAt: null, token: new object());
                _token = token;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
