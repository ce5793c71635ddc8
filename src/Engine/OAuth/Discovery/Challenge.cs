namespace McpProxyFast.OAuth.Discovery;

/// <summary>One challenge of a <c>WWW-Authenticate</c> field.</summary>
/// <param name="Scheme">The scheme as received; compare it without regard to case.</param>
/// <param name="Parameters">The parameters by name, without regard to case; of a repeated one the first.</param>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>Whether an access token would answer this challenge.</summary>
    public bool AsksForToken => Is("Bearer") || Is("DPoP");

    public string? ResourceMetadata => Parameters.GetValueOrDefault("resource_metadata");

    public string? Scope => Parameters.GetValueOrDefault("scope");

    public string? Error => Parameters.GetValueOrDefault("error");

    public string? Realm => Parameters.GetValueOrDefault("realm");

    /// <summary>The challenge that says most of how to obtain a token, or null if none asks for one.</summary>
    public static Challenge? Choose(IEnumerable<string> fieldValues)
    {
        List<Challenge> asking = [.. fieldValues.SelectMany(ChallengeParser.Parse).Where(challenge => challenge.AsksForToken)];
        return asking.Find(challenge => challenge.ResourceMetadata is not null)
            ?? asking.Find(challenge => challenge.Scope is not null)
            ?? asking.FirstOrDefault();
    }

    private bool Is(string scheme) => Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);
}
