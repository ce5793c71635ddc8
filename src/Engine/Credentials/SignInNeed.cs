using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.Credentials;

/// <summary>Whether a new sign-in is needed after the upstream has refused a token or has asked for one.</summary>
/// <param name="IsThere">Whether a sign-in is needed.</param>
/// <param name="Where">The authorization server, if it is known already; null if it must still be discovered.</param>
internal sealed record SignInNeed(bool IsThere, Protection? Where)
{
    /// <summary>No sign-in is made: there is a token to try, or a token cannot be obtained now.</summary>
    public static readonly SignInNeed None = new(IsThere: false, Where: null);

    /// <summary>A person is already being asked to sign in. So the authorization server is not discovered again now.</summary>
    public static readonly SignInNeed AlreadyAsked = new(IsThere: true, Where: null);

    public static SignInNeed At(Protection protection) => new(IsThere: true, protection);
}
