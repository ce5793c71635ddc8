namespace McpProxyFast;

/// <summary>What an <see cref="OutgoingPolicy"/> must satisfy; each message names the setting and what would be right.</summary>
internal static class OutgoingPolicyRules
{
    /// <summary>Whether credentials may be handled at a URL: https, or http on loopback (MCP, authorization security).</summary>
    public static bool IsSecure(Uri? url) =>
        url is { IsAbsoluteUri: true, Fragment.Length: 0, UserInfo.Length: 0 }
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    public static void Check(OutgoingPolicy policy)
    {
        CheckNothingIsEmpty(policy);
        CheckBearer(policy);
        CheckServer(policy);
        CheckClient(policy);
        CheckGrant(policy);
        CheckNumbers(policy);
    }

    /// <summary>An empty text is not "not given": it is what a variable that nobody has set leaves behind.</summary>
    private static void CheckNothingIsEmpty(OutgoingPolicy policy)
    {
        (string Property, string? Text)[] texts =
        [
            (nameof(policy.BearerTokenFile), policy.BearerTokenFile), (nameof(policy.ClientId), policy.ClientId),
            (nameof(policy.ClientSecret), policy.ClientSecret), (nameof(policy.ClientKeyFile), policy.ClientKeyFile),
            (nameof(policy.AssertionFile), policy.AssertionFile), (nameof(policy.IdTokenFile), policy.IdTokenFile),
            (nameof(policy.IdpClientId), policy.IdpClientId), (nameof(policy.StorePath), policy.StorePath),
        ];
        foreach ((string property, string? text) in texts)
        {
            Require(text is not "", property, "It is given and empty; leave it out where there is none.");
        }
    }

    private static void CheckBearer(OutgoingPolicy policy)
    {
        Require(policy.BearerToken is null || policy.BearerTokenFile is null, nameof(policy.BearerTokenFile),
            "The bearer token and the bearer token file exclude each other; give one.");
        Require(policy.BearerToken is not { } token || IsVisibleAscii(token), nameof(policy.BearerToken),
            "The bearer token must be one word of visible ASCII, without its scheme.");
    }

    private static void CheckServer(OutgoingPolicy policy)
    {
        Require(policy.Issuer is null || policy.TokenUrl is null, nameof(policy.TokenUrl), "The issuer and the token URL exclude each other; give one.");
        Require(policy.Issuer is null || policy.AuthorizeUrl is null, nameof(policy.AuthorizeUrl),
            "The issuer and the authorize URL exclude each other; give one.");
        Require(policy.AuthorizeUrl is null || policy.TokenUrl is not null, nameof(policy.TokenUrl), "The authorize URL needs the token URL beside it.");
        Require(
            policy.TokenUrl is null || policy.AuthorizeUrl is not null || policy.Grant is not OutgoingGrant.AuthorizationCode,
            nameof(policy.AuthorizeUrl),
            "The token URL needs the authorize URL beside it.");
        Require(policy.Issuer is not { } issuer || IsSecure(Parse(issuer)), nameof(policy.Issuer), "The issuer must be an https URL (http only on loopback).");
        Require(policy.AuthorizeUrl is not { } authorize || IsSecure(authorize), nameof(policy.AuthorizeUrl),
            "The authorize URL must be an https URL (http only on loopback).");
        Require(policy.TokenUrl is not { } token || IsSecure(token), nameof(policy.TokenUrl), "The token URL must be an https URL (http only on loopback).");
        Require(
            policy.Resource is not { } resource || Parse(resource) is { Fragment.Length: 0 },
            nameof(policy.Resource),
            "The resource must be an absolute URI without a fragment (RFC 8707 §2).");
        Require(policy.Scopes.All(IsScopeToken), nameof(policy.Scopes),
            "A scope must be one word of visible ASCII without quotes or backslashes (RFC 6749 §3.3).");
        Require(policy.ScopeParameter.Length > 0, nameof(policy.ScopeParameter), "The scope parameter needs a name.");
    }

    private static void CheckClient(OutgoingPolicy policy)
    {
        Require(policy.ClientId is not null || policy.ClientSecret is null, nameof(policy.ClientId), "A client secret needs the client id beside it.");
        Require(policy.ClientId is not null || policy.ClientKeyFile is null, nameof(policy.ClientId), "A client key needs the client id beside it.");
        Require(policy.ClientSecret is null || policy.ClientKeyFile is null, nameof(policy.ClientKeyFile),
            "The client secret and the client key exclude each other; give one.");
        Require(
            policy.ClientMetadataUrl is not { } document || Parse(document) is { Scheme: "https", AbsolutePath.Length: > 1 },
            nameof(policy.ClientMetadataUrl),
            "The client metadata URL must be an https URL with a path.");
        Require(
            policy.TokenUrl is null || policy.ClientId is not null || policy.Grant is OutgoingGrant.JwtBearer,
            nameof(policy.ClientId),
            "Endpoints given by hand need a client id: without metadata there is nowhere to register.");
    }

    private static void CheckGrant(OutgoingPolicy policy)
    {
        bool forJwtBearer = policy.Grant is OutgoingGrant.JwtBearer;
        bool forIdJag = policy.Grant is OutgoingGrant.IdentityAssertion;
        Require(policy.AssertionFile is null || forJwtBearer, nameof(policy.AssertionFile), "The assertion file is for the grant jwt-bearer alone.");
        Require(policy.IdTokenFile is null || forIdJag, nameof(policy.IdTokenFile), "The ID token file is for the grant id-jag alone.");
        Require(policy.IdpTokenUrl is null || forIdJag, nameof(policy.IdpTokenUrl), "The identity provider's token URL is for the grant id-jag alone.");
        switch (policy.Grant)
        {
            case OutgoingGrant.ClientCredentials:
                Require(
                    policy.ClientId is not null && (policy.ClientSecret ?? policy.ClientKeyFile) is not null,
                    nameof(policy.Grant),
                    "The grant client_credentials needs a client id and a client secret or key.");
                break;
            case OutgoingGrant.JwtBearer:
                Require(policy.AssertionFile is not null, nameof(policy.AssertionFile), "The grant jwt-bearer needs an assertion file.");
                break;
            case OutgoingGrant.IdentityAssertion:
                Require(
                    policy.IdpTokenUrl is not null && policy.IdpClientId is not null && policy.IdTokenFile is not null && policy.ClientId is not null,
                    nameof(policy.Grant),
                    "The grant id-jag needs a client id and the identity provider's token URL, client id and ID token file.");
                Require(IsSecure(policy.IdpTokenUrl), nameof(policy.IdpTokenUrl),
                    "The identity provider's token URL must be an https URL (http only on loopback).");
                break;
            case OutgoingGrant.DeviceCode:
                Require(policy.TokenUrl is null, nameof(policy.TokenUrl),
                    "The grant device_code needs the issuer rather than endpoints: the device endpoint comes from its metadata.");
                break;
        }
    }

    private static void CheckNumbers(OutgoingPolicy policy)
    {
        Require(policy.CallbackPort is >= 0 and <= 65_535, nameof(policy.CallbackPort), "The callback port must lie between 0 and 65535.");
        Require(policy.SignInTimeout is not { } timeout || timeout.TotalSeconds is >= 1 and <= 3_600, nameof(policy.SignInTimeout),
            "The sign-in timeout must lie between 1s and 1h.");
        Require(
            policy.StoreKey is not { } key || (Convert.TryFromBase64String(key, new byte[64], out int length) && length == 32),
            nameof(policy.StoreKey),
            "The store key must be 32 bytes in base64, such as `openssl rand -base64 32` prints.");
    }

    private static Uri? Parse(string url) => Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) ? parsed : null;

    private static bool IsVisibleAscii(string text) => text.Length > 0 && text.All(character => character is > ' ' and < (char)127);

    private static bool IsScopeToken(string scope) => IsVisibleAscii(scope) && !scope.AsSpan().ContainsAny('"', '\\');

    private static void Require(bool holds, string property, string message)
    {
        if (!holds)
        {
            throw new ArgumentException(message, property);
        }
    }
}
