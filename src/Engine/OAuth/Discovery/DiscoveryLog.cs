using System.Net;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>What one discovery has asked and what came back, for the message that says that nothing was found.</summary>
internal sealed class DiscoveryLog(ILogger logger)
{
    /// <summary>Most requests of one discovery, whatever the documents name.</summary>
    public const int MaxRequests = 32;

    /// <summary>The code of a search that is given up because it has asked so often.</summary>
    public const string TooLong = "discovery-too-long";

    /// <summary>Most characters of one line in the message.</summary>
    private const int MaxLineLength = 400;

    /// <summary>Most characters of all lines in the message, so that there is room for the advice.</summary>
    private const int MaxLength = 2_400;

    /// <summary>What was asked and came, a line each, in order.</summary>
    private readonly List<string> _lines = [];

    /// <summary>How many documents have been asked for.</summary>
    private int _requests;

    /// <summary>Whether a temporary failure was among the answers.</summary>
    public bool SawTransient { get; private set; }

    /// <summary>Whether any place for an authorization server's metadata gave an answer other than "not found". Then no endpoints may be assumed.</summary>
    public bool FoundServer { get; set; }

    /// <summary>The first answer of a place for the resource's own document that was no usable one; null if there was none. Then there is a document.</summary>
    public OAuthException? UnusableResource { get; set; }

    /// <summary>A document is about to be asked for.</summary>
    /// <exception cref="OAuthException">Too many have been.</exception>
    public void CountRequest()
    {
        if (++_requests > MaxRequests)
        {
            throw NothingFound(
                TooLong,
                $"More than {MaxRequests} documents would have to be read to find out who protects the upstream.",
                "Name the authorization server (OAuthPolicy.Server).");
        }
    }

    public void Add(string asked, HttpStatusCode status)
    {
        SawTransient |= IsTransient(status);
        Add($"{asked}: {(int)status}{((int)status is >= 300 and < 400 ? " to elsewhere, which is not followed" : "")}");
    }

    /// <summary>Adds an answer that should hold a document.</summary>
    public void Add(string asked, HttpStatusCode status, bool isDocument)
    {
        if (status is HttpStatusCode.OK && !isDocument)
        {
            Add($"{asked}: 200, but not the JSON document that belongs there");
        }
        else
        {
            Add(asked, status);
        }
    }

    public void Add(string asked, OAuthException failure)
    {
        SawTransient |= failure.Failure is OAuthFailure.Transient;
        Add($"{asked}: {failure.Message}");
    }

    public void Add(string line)
    {
        logger.Discovery(PlainText.OfMessage(line));
        _lines.Add(line.Length <= MaxLineLength ? line : line[..MaxLineLength] + " (cut)");
    }

    /// <param name="code">A stable word.</param>
    /// <param name="what">What was not found.</param>
    /// <param name="next">What a person can do.</param>
    public OAuthException NothingFound(string code, string what, string next) => new(
        SawTransient ? OAuthFailure.Transient : OAuthFailure.Refused,
        code,
        $"{what} Tried: {this}. {next}");

    /// <summary>All lines as one.</summary>
    public override string ToString()
    {
        string all = string.Join("; ", _lines);
        return all.Length <= MaxLength ? all : all[..MaxLength] + " (cut)";
    }

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;
}
