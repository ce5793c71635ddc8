using System.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth;

/// <summary>What one discovery has asked and been told, for the message in which it ends when nothing was found.</summary>
internal sealed class DiscoveryLog(ILogger logger)
{
    private readonly List<string> _lines = [];

    /// <summary>Whether a failure that may pass stood in the way.</summary>
    public bool SawTransient { get; private set; }

    public void Add(string asked, HttpStatusCode status)
    {
        SawTransient |= IsTransient(status);
        Add($"{asked}: {(int)status}");
    }

    public void Add(string asked, OAuthException failure)
    {
        SawTransient |= failure.Failure is OAuthFailure.Transient;
        Add($"{asked}: {failure.Message}");
    }

    public void Add(string line)
    {
        logger.LogDebug("Discovery: {Line}", line);
        _lines.Add(line);
    }

    public OAuthException NothingFound(string code, string what) => new(
        SawTransient ? OAuthFailure.Transient : OAuthFailure.Refused,
        code,
        $"{what} Tried: {string.Join("; ", _lines)}.");

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;
}
