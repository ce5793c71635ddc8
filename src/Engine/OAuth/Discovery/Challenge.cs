namespace McpProxyFast.OAuth.Discovery;

/// <summary>One challenge of a <c>WWW-Authenticate</c> field.</summary>
/// <param name="Scheme">The authentication scheme as received; it is case-insensitive.</param>
/// <param name="Parameters">The parameters by name; names are case-insensitive. If a parameter is repeated, the first value is kept.</param>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>Whether the challenge asks for an access token.</summary>
    public bool AsksForToken => Is("Bearer") || Is("DPoP");

    public string? ResourceMetadata => Parameters.GetValueOrDefault("resource_metadata");

    public string? Scope => Parameters.GetValueOrDefault("scope");

    public string? Error => Parameters.GetValueOrDefault("error");

    public string? Realm => Parameters.GetValueOrDefault("realm");

    /// <summary>Returns the challenge that says most about how to obtain a token; null if none asks for a token.</summary>
    public static Challenge? Choose(IEnumerable<string> fieldValues)
    {
        List<Challenge> asking = [.. fieldValues.SelectMany(ChallengeParser.Parse).Where(challenge => challenge.AsksForToken)];
        return asking.Find(challenge => challenge.ResourceMetadata is not null)
            ?? asking.Find(challenge => challenge.Scope is not null)
            ?? asking.FirstOrDefault();
    }

    private bool Is(string scheme) => Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);
}
