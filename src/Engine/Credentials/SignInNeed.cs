using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.Credentials;

/// <summary>Whether a refusal can be answered by a sign-in alone.</summary>
/// <param name="IsThere">True if it can.</param>
/// <param name="Where">Who protects the target, if that has been found out.</param>
internal sealed record SignInNeed(bool IsThere, Protection? Where)
{
    /// <summary>There is a token to try, or nothing can be done now.</summary>
    public static readonly SignInNeed None = new(IsThere: false, Where: null);

    /// <summary>A person is being asked, so that nothing has to be found out before there is an answer.</summary>
    public static readonly SignInNeed OfWhoIsAskedAlready = new(IsThere: true, Where: null);

    public static SignInNeed At(Protection protection) => new(IsThere: true, protection);
}
