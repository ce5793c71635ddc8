using System.Text.Json.Nodes;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>The form of a token answer.</summary>
internal enum TokenForm
{
    /// <summary>RFC 6749 §5.1.</summary>
    Json,

    /// <summary>A query, whatever the client accepts.</summary>
    Query,

    /// <summary>A query, unless the client accepts JSON.</summary>
    QueryUnlessJsonIsAccepted,
}

/// <summary>What one provider publishes, wants and answers, as its public documentation says. What is not named here is as the RFCs have it.</summary>
/// <param name="Name">A short name for the test's output.</param>
internal sealed record Provider(string Name)
{
    /// <summary>The path of the issuer; a final slash counts.</summary>
    public string IssuerPath { get; init; } = "";

    /// <summary>Where the authorization server's metadata lies; every other place is answered with 404.</summary>
    public string[] Places { get; init; } = ["/.well-known/oauth-authorization-server"];

    /// <summary>Changes what the metadata says.</summary>
    public Action<JsonObject> Metadata { get; init; } = _ => { };

    /// <summary>Changes what the resource publishes; null where it publishes nothing.</summary>
    public Action<JsonObject>? Resource { get; init; } = _ => { };

    /// <summary>Where on the MCP server the resource's document lies.</summary>
    public string ResourcePlace { get; init; } = "/.well-known/oauth-protected-resource/mcp";

    /// <summary>The challenge of a 401, from the URL of the resource's document; null for one that names the document if there is one.</summary>
    public Func<string, string>? Challenge { get; init; }

    /// <summary>Whether the MCP server is its own authorization server, as in the revision of 2025-03-26.</summary>
    public bool IsOwnServer { get; init; }

    /// <summary>Whether clients may register themselves. Otherwise there is one, registered beforehand.</summary>
    public bool Registers { get; init; }

    /// <summary>How the client has to show who it is: <c>none</c>, <c>basic</c> or <c>post</c>.</summary>
    public string ClientAuth { get; init; } = "none";

    /// <summary>How a user sets the proxy up for it, from what suits a server that is as the specification has it.</summary>
    public Func<OAuthPolicy, ZooServer, OAuthPolicy> Setup { get; init; } = (policy, _) => policy;

    /// <summary>The authorization endpoint in the metadata, where the proxy knows the provider by it; the browser goes to the scripted server all the same.</summary>
    public string? PublishedAuthorizationEndpoint { get; init; }

    /// <summary>The name of the authorization request's scope parameter.</summary>
    public string ScopeParameter { get; init; } = "scope";

    /// <summary>What has to stand between two scopes.</summary>
    public char ScopeSeparator { get; init; } = ' ';

    /// <summary>The error with which an authorization request is refused; null for none.</summary>
    public Func<IReadOnlyDictionary<string, string>, (string Error, string Description)?> Refuses { get; init; } = _ => null;

    /// <summary>Whether the answer to an authorization request names the issuer (RFC 9207).</summary>
    public bool SendsIssuer { get; init; }

    /// <summary>Whether the metadata says so.</summary>
    public bool AnnouncesIssuer { get; init; } = true;

    /// <summary>Whether a sign-in with these parameters gets a refresh token.</summary>
    public Func<IReadOnlyDictionary<string, string>, bool> GivesRefreshToken { get; init; } = _ => true;

    /// <summary>Whether a renewal gives another refresh token.</summary>
    public bool Rotates { get; init; } = true;

    /// <summary>Whether a renewal that gives no other refresh token repeats the one that it was asked for with.</summary>
    public bool RepeatsRefreshToken { get; init; }

    /// <summary>Changes the token answer of a sign-in.</summary>
    public Func<JsonObject, JsonObject> Tokens { get; init; } = tokens => tokens;

    /// <summary>Changes the token answer of a renewal.</summary>
    public Func<JsonObject, JsonObject> RenewedTokens { get; init; } = tokens => tokens;

    /// <summary>The form of the token endpoint's answers.</summary>
    public TokenForm Form { get; init; }

    /// <summary>How a code that is wrong is refused, and the words in it that a person needs; null where the documentation says nothing of its own.</summary>
    public (int Status, string Body, string Words)? CodeRefusal { get; init; }

    /// <summary>How a refresh token that is over is refused.</summary>
    public (int Status, string Body) RefreshRefusal { get; init; } = (400, """{"error":"invalid_grant"}""");

    public override string ToString() => Name;
}
