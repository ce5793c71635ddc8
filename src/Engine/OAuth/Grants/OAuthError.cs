using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Says what can be done about the error codes of RFC 6749 and its extensions.</summary>
internal static class OAuthError
{
    /// <summary>Returns what can help after an error of the authorization endpoint, which comes with the redirect (RFC 6749 §4.1.2.1).</summary>
    public static OAuthFailure FailureOf(string error) => error switch
    {
        "access_denied" => OAuthFailure.GrantLost,
        "invalid_client" or "unauthorized_client" => OAuthFailure.ClientUnknown,
        _ => OAuthFailure.Refused,
    };

    /// <summary>Returns a sentence that says what a person can do about an error of the authorization endpoint.</summary>
    /// <param name="error">The OAuth error code.</param>
    /// <param name="description">The server's <c>error_description</c>; null if there is none.</param>
    public static string NextAfterSignIn(string error, string? description) => error switch
    {
        "temporarily_unavailable" or "server_error" => "The server has a temporary failure; sign in again later.",
        _ when Next(error, description) is { Length: > 0 } next => next,
        _ => "Sign in again. If that ends the same way, check the client, its redirect URI and the options of the sign-in.",
    };

    /// <summary>
    /// Returns a sentence that says what a person can do about an error of the authorization or the token endpoint; empty if there is no advice for this error.
    /// </summary>
    /// <param name="error">The OAuth error code.</param>
    /// <param name="description">The server's <c>error_description</c>; null if there is none.</param>
    public static string Next(string error, string? description) => error switch
    {
        _ when IsAboutResource(error, description) =>
            "Check the resource that is asked for. If the server does not accept a resource together with scopes, as Microsoft Entra does not, "
                + "set OAuthPolicy.Resource to none.",
        _ when description?.StartsWith("AADSTS900144", StringComparison.Ordinal) is true => "The server wants scopes; set them with OAuthPolicy.Scopes.",
        "invalid_client" or "unauthorized_client" =>
            "Check the client id, its secret or key, and the grants that it may use. If the server wants the secret sent in another "
            + "way (in the form or in Authorization), set OAuthPolicy.TokenEndpointAuthMethod.",
        "invalid_scope" => "Check the scopes that are asked for; OAuthPolicy.Scopes sets others.",
        "access_denied" => "Sign in again with an account that may use the target.",
        "unsupported_grant_type" or "unsupported_response_type" => "The server does not offer this kind of sign-in; choose another with OAuthPolicy.Grant.",
        _ => "",
    };

    // If Microsoft Entra refuses the resource, the description begins with AADSTS9010010 or AADSTS901002. The error code is `invalid_target`, `invalid_request`
    // or `invalid_scope`, depending on the endpoint.
    private static bool IsAboutResource(string error, string? description) =>
        error == "invalid_target" || description?.StartsWith("AADSTS90100", StringComparison.Ordinal) is true;
}
