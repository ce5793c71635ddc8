using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Browser;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Signs a person in with a browser on another machine (RFC 8628).</summary>
internal sealed class DeviceCodeFlow(OAuthHttp http, ClientRegistry clients, TokenEndpoint tokens, TimeProvider clock, SignInInvitation invitation) : IGrantFlow
{
    // RFC 8628 §3.5: after each `slow_down` the polling interval is longer by this much.
    private static readonly TimeSpan SlowDown = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxInterval = TimeSpan.FromMinutes(1);

    // The proxy stops polling after this time, whatever lifetime the server states for the code. Then the sign-in has failed.
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(1);

    public async Task<IssuedCredential> RunAsync(Protection protection, IReadOnlyList<string> scopes, DPoPKey? dpopKey, CancellationToken cancellationToken)
    {
        ServerMetadata server = protection.Server;
        if (server.DeviceAuthorizationEndpoint is null)
        {
            throw OAuthException.Refused("device-unsupported", $"{server.Issuer} offers no device authorization; use another grant (OAuthPolicy.Grant).");
        }

        ServerEndpoint.Require(
            server,
            "device_authorization_endpoint",
            server.DeviceAuthorizationEndpoint,
            "Until its operator has corrected that, use another grant (OAuthPolicy.Grant).");
        ClientIdentity client = await clients.ChooseAsync(server, redirectUri: null, scopes, cancellationToken).ConfigureAwait(false);
        using DeviceAuthorizationResponse device = await StartAsync(protection, client, scopes, cancellationToken).ConfigureAwait(false);
        TimeSpan? lifetime = device.ExpiresIn is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null;
        invitation.Show(device.VerificationUri!, device.UserCode!, lifetime);
        TokenSet issued = await PollInTimeAsync(protection, client, device, dpopKey, lifetime, cancellationToken).ConfigureAwait(false);
        return new IssuedCredential { Server = server, Client = client, Resource = protection.Resource, Scopes = scopes, Tokens = issued };
    }

    private async Task<DeviceAuthorizationResponse> StartAsync(
        Protection protection, ClientIdentity client, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        using var request = new DeviceAuthorizationRequest { Address = protection.Server.DeviceAuthorizationEndpoint };
        var redaction = new Redaction();
        redaction.AddQueryOf(protection.Server.DeviceAuthorizationEndpoint!);
        await tokens.AuthenticateAsync(request, protection.Server, client, redaction, cancellationToken).ConfigureAwait(false);
        request.Parameters.AddOptional("resource", protection.Resource);
        request.Parameters.AddOptional("scope", string.Join(' ', scopes));
        DeviceAuthorizationResponse answer = await http.Invoker.RequestDeviceAuthorizationAsync(request, cancellationToken).ConfigureAwait(false);
        TokenAnswer.ThrowIfFailed(answer, protection.Server.DeviceAuthorizationEndpoint!, redaction);
        string[] needed = ["device_code", "user_code", "verification_uri"];
        bool isComplete = Array.TrueForAll(needed, name => answer.Json!.Value.WordOf(name) is { Length: > 0 });
        return isComplete
            ? answer
            : throw OAuthException.Refused(
                "device-unsupported",
                $"{protection.Server.DeviceAuthorizationEndpoint} answered without device_code, user_code or verification_uri. "
                + "Use another grant (OAuthPolicy.Grant).");
    }

    // Polls until the code expires. RFC 8628 §3.2: after that the person cannot enter it, so further answers of the server do not matter.
    private async Task<TokenSet> PollInTimeAsync(
        Protection protection, ClientIdentity client, DeviceAuthorizationResponse device, DPoPKey? dpopKey, TimeSpan? lifetime,
            CancellationToken cancellationToken)
    {
        using var ended = new CancellationTokenSource(lifetime is { } given && given < MaxLifetime ? given : MaxLifetime, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ended.Token);
        try
        {
            return await PollAsync(protection, client, device, dpopKey, linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure) when (ended.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new OAuthException(
                OAuthFailure.GrantLost,
                "device-code-ended",
                "The code expired before the sign-in was complete. The next request, or `mcpproxyfast login`, starts another sign-in.",
                failure);
        }
    }

    private async Task<TokenSet> PollAsync(
        Protection protection, ClientIdentity client, DeviceAuthorizationResponse device, DPoPKey? dpopKey, CancellationToken cancellationToken)
    {
        TimeSpan interval = TimeSpan.FromSeconds(Math.Clamp(device.Interval, 1, MaxInterval.TotalSeconds));
        while (true)
        {
            await Task.Delay(interval, clock, cancellationToken).ConfigureAwait(false);
            try
            {
                var parameters = new Parameters { { "device_code", device.DeviceCode! } };
                parameters.AddOptional("resource", protection.Resource);
                return await tokens.AskAsync(
                    protection.Server, client, OidcConstants.GrantTypes.DeviceCode, parameters, dpopKey, cancellationToken).ConfigureAwait(false);
            }
            catch (OAuthException failure) when (failure.Code is "authorization-pending" or "slow-down" || failure.Failure is OAuthFailure.Transient)
            {
                // RFC 8628 §3.5: `authorization_pending` means that the person has not entered the code yet. After `slow_down`, or a temporary error, the
                // interval grows.
                TimeSpan slower = interval + SlowDown < MaxInterval ? interval + SlowDown : MaxInterval;
                interval = failure.Code is "authorization-pending" ? interval : slower;
            }
        }
    }
}
