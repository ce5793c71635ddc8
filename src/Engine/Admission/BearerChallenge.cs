using System.Text;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Admission;

/// <summary>
/// Builds the <c>WWW-Authenticate</c> field line (RFC 6750 §3, RFC 9728 §5.1). It says where to get a token and for which scopes. It does not give the exact
/// reason for which a token was refused.
/// </summary>
internal sealed class BearerChallenge
{
    /// <summary>The scopes that the client should ask for, separated by spaces; empty if there are none. Never changes.</summary>
    private readonly string _scope;

    /// <summary>The URL of the resource's metadata; null if the URL depends on the host of each request. Never changes.</summary>
    private readonly string? _metadataUrl;

    /// <summary>The complete field line for each kind of challenge; null if the line depends on the host of each request. Never changes.</summary>
    private readonly byte[][]? _ready;

    public BearerChallenge(TokenPolicy policy)
    {
        IReadOnlyList<string> scopes = policy.RequiredScopes.Count > 0 ? policy.RequiredScopes : policy.AdvertisedScopes;
        _scope = string.Join(' ', scopes);
        if (policy.ResourceUrl is not null)
        {
            string metadataUrl = ResourceNames.Of(policy.ResourceUrl).MetadataUrl;
            _metadataUrl = metadataUrl;
            _ready = [.. Enum.GetValues<ChallengeKind>().Select(kind => Build(kind, metadataUrl, _scope, stepUp: null))];
        }
    }

    /// <summary>Returns the complete field line with its CRLF.</summary>
    /// <param name="kind">The kind of challenge; not <see cref="ChallengeKind.None"/>.</param>
    /// <param name="scheme"><c>http</c> or <c>https</c>: that of the listener.</param>
    /// <param name="host">The request's host; empty if it has none.</param>
    /// <param name="path">The request's path.</param>
    /// <param name="announced">The resource's identifier, if the listener has a public address; otherwise null.</param>
    /// <param name="stepUp">How the caller must sign in again; null if the challenge asks for no step-up.</param>
    public ReadOnlyMemory<byte> LineFor(
        ChallengeKind kind,
        string scheme,
        ReadOnlySpan<byte> host,
        ReadOnlySpan<byte> path,
        string? announced = null,
        StepUpChallenge? stepUp = null)
    {
        if (_ready is not null && stepUp is null)
        {
            return _ready[(int)kind];
        }

        string? metadataUrl = _metadataUrl;
        if (metadataUrl is null && announced is not null)
        {
            metadataUrl = ResourceNames.Of(announced).MetadataUrl;
        }
        else if (metadataUrl is null && !host.IsEmpty)
        {
            metadataUrl = ResourceNames.OfRequest(scheme, host, path).MetadataUrl;
        }

        return Build(kind, metadataUrl, _scope, stepUp);
    }

    /// <summary>Returns the field line for a proxy that does not check tokens itself. It names no metadata, since such a proxy publishes none.</summary>
    /// <param name="kind">The kind of challenge; not <see cref="ChallengeKind.None"/>.</param>
    /// <param name="stepUp">How the caller must sign in again; null if the challenge asks for no step-up.</param>
    public static ReadOnlyMemory<byte> Bare(ChallengeKind kind, StepUpChallenge? stepUp) => Build(kind, metadataUrl: null, scope: "", stepUp);

    private static byte[] Build(ChallengeKind kind, string? metadataUrl, string scope, StepUpChallenge? stepUp)
    {
        (string Name, string? Value)[] parameters =
        [
            .. ErrorOf(kind),
            ("error", stepUp?.Error),
            ("claims", stepUp?.Claims),
            ("acr_values", stepUp?.AcrValues),
            ("max_age", stepUp?.MaxAge),
            ("resource_metadata", metadataUrl),
            ("scope", scope.Length > 0 ? scope : null),
        ];
        IEnumerable<string> given = parameters
            .Where(parameter => parameter.Value is not null)
            .Select(parameter => $"{parameter.Name}={Quote(parameter.Value!)}");
        return Encoding.ASCII.GetBytes($"WWW-Authenticate: Bearer {string.Join(", ", given)}".TrimEnd() + "\r\n");
    }

    private static (string Name, string? Value)[] ErrorOf(ChallengeKind kind) => kind switch
    {
        ChallengeKind.InvalidToken => [("error", "invalid_token"), ("error_description", "The access token is not valid")],
        ChallengeKind.InsufficientScope => [("error", "insufficient_scope"), ("error_description", "The access token lacks a required scope")],
        _ => [],
    };

    // quoted-string, RFC 9110 §5.6.4
    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
