namespace McpProxyFast;

/// <summary>What no type of an <see cref="OAuthPolicy"/> can say: server, grant and client must fit together.</summary>
internal static class OutgoingPolicyRules
{
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void Check(OAuthPolicy policy)
    {
        bool hasSecret = policy.Client is KnownClient { Authentication.SecretValue: not null };
        bool sendsSecret = policy.TokenEndpointAuthMethod is TokenEndpointAuthMethod.Basic or TokenEndpointAuthMethod.Post;
        PolicyValue.Require(
            policy.Client is not KnownClient || hasSecret || !sendsSecret,
            nameof(policy.TokenEndpointAuthMethod),
            "It says how a client secret is sent, and the client has none.");
        PolicyValue.Require(
            policy.Grant is not OAuthGrant.ClientCredentials { Authentication.SecretValue: not null }
                || policy.TokenEndpointAuthMethod is not TokenEndpointAuthMethod.None,
            nameof(policy.TokenEndpointAuthMethod),
            "The grant client_credentials needs its secret sent.");
        if (policy.Server.TokenUrl is null)
        {
            return;
        }

        PolicyValue.Require(
            policy.Grant is not OAuthGrant.AuthorizationCode || policy.Server.AuthorizeUrl is not null,
            nameof(OAuthServer.AuthorizeUrl),
            "The token URL needs the authorize URL beside it.");
        PolicyValue.Require(
            policy.Client is null or KnownClient,
            nameof(OAuthGrant.AuthorizationCode.Client),
            "Endpoints given by hand need a client id: without metadata there is nowhere to register.");
        PolicyValue.Require(
            policy.Grant is not OAuthGrant.DeviceCode,
            nameof(policy.Server),
            "The grant device_code needs the issuer rather than endpoints: the device endpoint comes from its metadata.");
    }
}
