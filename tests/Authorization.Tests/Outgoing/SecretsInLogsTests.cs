using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth.Store;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Drives every flow at debug level and looks for each secret that was made, shown or kept on the way.</summary>
public sealed class SecretsInLogsTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private Rig _rig = null!;
    private SignInServer _provider = null!;

    private static readonly string[] Given =
    [
        "s3cret", Convert.ToBase64String("machine:s3cret"u8), "w0rkload-assertion", "1d-token", "b3arer", "f1le-bearer", "c00kie-of-the-client", "t0ken-of-the-client",
    ];

    public async Task InitializeAsync()
    {
        _rig = await Rig.StartAsync();
        _provider = await SignInServer.StartAsync(_rig.Clock);
        _provider.EditTokens = tokens =>
        {
            tokens["token_type"] = "N_A";
            tokens["issued_token_type"] = "urn:ietf:params:oauth:token-type:id-jag";
        };
    }

    public async Task DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _rig.DisposeAsync();
    }

    public void Dispose()
    {
        _clientKey.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("authorization code")]
    [InlineData("device code")]
    [InlineData("client credentials, basic")]
    [InlineData("client credentials, post")]
    [InlineData("client credentials, private_key_jwt")]
    [InlineData("jwt-bearer")]
    [InlineData("id-jag")]
    [InlineData("DPoP")]
    [InlineData("static bearer")]
    [InlineData("bearer file")]
    public async Task NoSecretReachesTheLogOrTheClient(string flow)
    {
        OutgoingPolicy policy = PolicyFor(flow);
        var oauth = policy as OAuthPolicy;
        _rig.Server.EditMetadata = metadata =>
        {
            metadata["scopes_supported"] = new JsonArray("read", "write");
            metadata["token_endpoint_auth_methods_supported"] = new JsonArray("none", flow.EndsWith("post", StringComparison.Ordinal) ? "client_secret_post" : "client_secret_basic");
        };
        _rig.Server.EditTokens = tokens => tokens["token_type"] = oauth?.DPoP == true ? "DPoP" : "Bearer";
        ForwardingProxy proxy = await _rig.ProxyAsync(policy);

        // Sign-in, renewal after a refusal, step-up, renewal at the end, a renewal that fails rudely, sign-out.
        List<string> told = [await AskAsync(proxy)];
        _rig.Server.RevokeAll();
        told.Add(await AskAsync(proxy));
        _rig.Server.RequiredScope = "write";
        told.Add(await AskAsync(proxy));
        _rig.Clock.Advance(TimeSpan.FromHours(2));
        told.Add(await AskAsync(proxy));
        _rig.Server.Overrides["/token"] = RepeatAllAsync;
        _rig.Clock.Advance(TimeSpan.FromHours(2));
        told.Add(await AskAsync(proxy));
        string[] kept = await KeptAsync(oauth?.Store);
        await _rig.DisposeProxiesAsync();
        if (oauth is not null)
        {
            Assert.Equal(oauth.Grant.IsKept, await StoredCredentials.LogoutAsync(oauth, new Uri(_rig.Server.Origin), _rig.Browser));
            Assert.Equal(oauth.Grant.IsKept ? 1 : 0, _rig.Server.Revoked.Count);
        }

        string[] secrets = [.. _rig.Server.Secrets, .. _provider.Secrets, .. kept, .. Given];
        string[] lines = [.. _rig.Browser.Lines, .. told];
        Assert.All(secrets, secret => Assert.DoesNotContain(lines, line => line.Contains(Part(secret), StringComparison.Ordinal)));
    }

    // Of a JWT the signature, which no two have in common; half of it is too much already.
    private static string Part(string secret) => secret.Split('.') is [_, _, { Length: > 40 } signature] ? signature[..40] : secret;

    private OutgoingPolicy PolicyFor(string flow)
    {
        OAuthPolicy kept = Rig.Policy with { Store = new CredentialStoreFile(_folder.File("store")) };
        ClientAuthentication secret = ClientAuthentication.Secret("s3cret");
        return flow switch
        {
            "authorization code" => kept,
            "device code" => kept with { Grant = new OAuthGrant.DeviceCode() },
            "client credentials, basic" or "client credentials, post" =>
                kept with { Grant = new OAuthGrant.ClientCredentials("machine", secret) },
            "client credentials, private_key_jwt" => kept with
            {
                Grant = new OAuthGrant.ClientCredentials(
                    "machine", ClientAuthentication.KeyFile(_folder.Write("key.pem", _clientKey.ExportPkcs8PrivateKeyPem()))),
            },
            "jwt-bearer" => kept with { Grant = new OAuthGrant.JwtBearer(_folder.Write("assertion", "w0rkload-assertion")) },
            "id-jag" => kept with
            {
                Grant = new OAuthGrant.IdentityAssertion
                {
                    Client = new KnownClient("machine", secret),
                    IdpTokenUrl = new Uri($"{_provider.Origin}/token"),
                    IdpClientId = "idp",
                    IdTokenFile = _folder.Write("id-token", "1d-token"),
                },
            },
            "DPoP" => kept with { DPoP = true },
            "static bearer" => OutgoingPolicy.Bearer("b3arer"),
            "bearer file" => OutgoingPolicy.BearerFile(_folder.Write("bearer", "f1le-bearer")),
            _ => throw new ArgumentOutOfRangeException(nameof(flow)),
        };
    }

    // The keys: of the client, of the store, and the one that tokens are bound to.
    private async Task<string[]> KeptAsync(CredentialStoreFile? file)
    {
        string pem = _clientKey.ExportPkcs8PrivateKeyPem();
        List<string> keys = [pem.Split('\n')[1]];
        if (file is not null && File.Exists(file.Path + ".key"))
        {
            keys.Add(Convert.ToBase64String(await File.ReadAllBytesAsync(file.Path + ".key")));
            using CredentialStore store = CredentialStore.For(file, _rig.Browser);
            keys.AddRange((await store.ReadAllAsync(CancellationToken.None)).Select(entry => entry.DPoPKey).OfType<string>());
        }

        return [.. keys];
    }

    /// <returns>All that the client is told, head included.</returns>
    private async Task<string> AskAsync(ForwardingProxy proxy)
    {
        Task<HttpResponseMessage> asked = _rig.SendAsync(proxy, ("Cookie", "session=c00kie-of-the-client"), ("Authorization", "Bearer t0ken-of-the-client"));
        await _rig.Clock.PassPausesAsync(until: asked); // moves the device flow's polling on
        using HttpResponseMessage answer = await asked;
        return $"{answer.Headers}\n{await answer.Content.ReadAsStringAsync()}";
    }

    // The rudest server: it repeats in its error what it was sent.
    private static async Task RepeatAllAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        string all = string.Join(' ', form.Select(pair => $"{pair.Key}={pair.Value}").Concat(http.Request.Headers.Select(field => $"{field.Key}: {field.Value}")));
        http.Response.StatusCode = 400;
        await http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "invalid_request", ["error_description"] = all });
    }
}
