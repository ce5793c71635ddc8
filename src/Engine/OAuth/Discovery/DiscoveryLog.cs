using System.Net;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Records the requests of one discovery and their results. The error message lists them if nothing was found.</summary>
internal sealed class DiscoveryLog(ILogger logger)
{
    /// <summary>The maximum number of requests of one discovery, however many URLs the documents name. A further one makes the discovery fail.</summary>
    public const int MaxRequests = 32;

    /// <summary>The code of the error if a discovery fails because of <see cref="MaxRequests"/>.</summary>
    public const string TooLong = "discovery-too-long";

    /// <summary>The maximum length of one line in the error message, in characters. A longer line is cut.</summary>
    private const int MaxLineLength = 400;

    /// <summary>
    /// The maximum length of all lines in the error message, in characters. Longer text is cut, so that there is room for what a person can do.
    /// </summary>
    private const int MaxLength = 2_400;

    /// <summary>A line for each request and its result, in order.</summary>
    private readonly List<string> _lines = [];

    /// <summary>The number of documents that have been requested.</summary>
    private int _requests;

    /// <summary>Whether one of the requests has failed in a way that may be temporary.</summary>
    public bool SawTransient { get; private set; }

    /// <summary>
    /// Whether a request for an authorization server's metadata got an answer other than "not found". Then the server may have other endpoints than the default
    /// ones, which therefore must not be assumed.
    /// </summary>
    public bool FoundServer { get; set; }

    /// <summary>
    /// The first failure to read an answer to a request for the resource's metadata; null if there was none. If it is set, there may be a metadata document
    /// that could not be read.
    /// </summary>
    public OAuthException? UnusableResource { get; set; }

    /// <summary>Counts a request for a document. Called before it is sent.</summary>
    /// <exception cref="OAuthException">There have been <see cref="MaxRequests"/> already.</exception>
    public void CountRequest()
    {
        if (++_requests > MaxRequests)
        {
            throw NothingFound(
                TooLong,
                $"More than {MaxRequests} documents would have to be read to find the upstream's authorization server.",
                "Name the authorization server (OAuthPolicy.Server).");
        }
    }

    public void Add(string asked, HttpStatusCode status)
    {
        SawTransient |= IsTransient(status);
        Add($"{asked}: {(int)status}{((int)status is >= 300 and < 400 ? ", a redirect, which is not followed" : "")}");
    }

    /// <summary>Adds the result of a request for a document.</summary>
    public void Add(string asked, HttpStatusCode status, bool isDocument)
    {
        if (status is HttpStatusCode.OK && !isDocument)
        {
            Add($"{asked}: 200, but the body is not the JSON document that was expected");
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

    /// <param name="code">The stable code of the error.</param>
    /// <param name="what">A sentence that says what was not found.</param>
    /// <param name="next">A sentence that says what a person can do.</param>
    public OAuthException NothingFound(string code, string what, string next) => new(
        SawTransient ? OAuthFailure.Transient : OAuthFailure.Refused,
        code,
        $"{what} Tried: {this}. {next}");

    /// <summary>All lines, joined into one.</summary>
    public override string ToString()
    {
        string all = string.Join("; ", _lines);
        return all.Length <= MaxLength ? all : all[..MaxLength] + " (cut)";
    }

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;
}
