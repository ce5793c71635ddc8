using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.Credentials;

/// <summary>Whether a new sign-in is needed after the upstream has refused a token or has asked for one.</summary>
/// <param name="IsThere">Whether a sign-in is needed.</param>
/// <param name="Where">The authorization server, if it has been found already; otherwise null.</param>
internal sealed record SignInNeed(bool IsThere, Protection? Where)
{
    /// <summary>No sign-in is needed: there is a token to try, or nothing can be done now.</summary>
    public static readonly SignInNeed None = new(IsThere: false, Where: null);

    /// <summary>A person is already being asked to sign in, so no server must be found.</summary>
    public static readonly SignInNeed OfWhoIsAskedAlready = new(IsThere: true, Where: null);

    public static SignInNeed At(Protection protection) => new(IsThere: true, protection);
}
