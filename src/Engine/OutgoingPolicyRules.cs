namespace McpProxyFast;

/// <summary>Checks whether the server, the grant and the client of an <see cref="OAuthPolicy"/> fit together; the types alone cannot ensure that.</summary>
internal static class OutgoingPolicyRules
{
    /// <exception cref="ArgumentException">Two of the settings do not fit together.</exception>
    public static void Check(OAuthPolicy policy)
    {
        bool hasSecret = policy.Client is KnownClient { Authentication.SecretValue: not null };
        bool sendsSecret = policy.TokenEndpointAuthMethod is TokenEndpointAuthMethod.Basic or TokenEndpointAuthMethod.Post;
        PolicyValue.Require(
            policy.Client is not KnownClient || hasSecret || !sendsSecret,
            nameof(policy.TokenEndpointAuthMethod),
            "It says how a client secret is sent, but the client has no secret.");
        PolicyValue.Require(
            policy.Grant is not OAuthGrant.ClientCredentials { Authentication.SecretValue: not null }
                || policy.TokenEndpointAuthMethod is not TokenEndpointAuthMethod.None,
            nameof(policy.TokenEndpointAuthMethod),
            "The method none sends no client secret, but the grant client_credentials needs one.");
        if (policy.Server.TokenUrl is null)
        {
            return;
        }

        PolicyValue.Require(
            policy.Grant is not OAuthGrant.AuthorizationCode || policy.Server.AuthorizeUrl is not null,
            nameof(OAuthServer.AuthorizeUrl),
            "If the token URL is given, the authorize URL must be given too.");
        PolicyValue.Require(
            policy.Client is null or KnownClient,
            nameof(OAuthGrant.AuthorizationCode.Client),
            "If endpoints are given, a client id must be given too: without metadata the proxy cannot register a client.");
        PolicyValue.Require(
            policy.Grant is not OAuthGrant.DeviceCode,
            nameof(policy.Server),
            "The grant device_code needs the issuer instead of endpoints: the device endpoint comes from the issuer's metadata.");
    }
}
