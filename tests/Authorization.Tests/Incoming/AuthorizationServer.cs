using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>A real authorization server in process: OpenIddict on Kestrel. Whoever asks for authorization is alice, and she consents.</summary>
internal sealed class AuthorizationServer : IAsyncDisposable
{
    public const string Machine = "machine";
    public const string Introspector = "proxy";
    public const string Native = "native-app";
    public const string Secret = "s3cret";
    public const string Scope = "mcp";

    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    private AuthorizationServer(WebApplication app) => _app = app;

    /// <summary>Ends in a slash, as OpenIddict writes it.</summary>
    public string Issuer => $"{Url}/";

    public string Url => _app.Urls.Single();

    public static async Task<AuthorizationServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseShutdownTimeout(TimeSpan.Zero);
        string database = Guid.NewGuid().ToString();
        builder.Services.AddDbContext<DbContext>(options => options.UseInMemoryDatabase(database).UseOpenIddict());
        builder.Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>())
            .AddServer(Configure);
        WebApplication app = builder.Build();
        app.MapPost("/token", SignInAsync);
        app.MapMethods("/authorize", ["GET", "POST"], SignInAsync);
        await RegisterAsync(app.Services);
        await app.StartAsync();
        return new AuthorizationServer(app);
    }

    /// <summary>Gets an access token by client credentials, for the audience that the tests use.</summary>
    public async Task<string> IssueAsync(string scope = Scope)
    {
        JsonElement answer = await PostAsync("/token", new() { ["grant_type"] = "client_credentials", ["client_id"] = Machine, ["client_secret"] = Secret, ["scope"] = scope });
        return answer.GetProperty("access_token").GetString()!;
    }

    public Task RevokeAsync(string token) =>
        PostAsync("/revoke", new() { ["token"] = token, ["client_id"] = Machine, ["client_secret"] = Secret });

    /// <summary>Signs with a fresh key from now on; the old one is withdrawn.</summary>
    public void RotateKey()
    {
        List<SigningCredentials> keys = _app.Services.GetRequiredService<IOptionsMonitor<OpenIddictServerOptions>>().CurrentValue.SigningCredentials;
        keys[0] = new SigningCredentials(FreshKey(), SecurityAlgorithms.RsaSha256);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    private static void Configure(OpenIddictServerBuilder server)
    {
        server.SetAuthorizationEndpointUris("authorize").SetTokenEndpointUris("token").SetIntrospectionEndpointUris("introspect").SetRevocationEndpointUris("revoke");
        server.AllowClientCredentialsFlow().AllowAuthorizationCodeFlow().AllowRefreshTokenFlow().RequireProofKeyForCodeExchange();
        server.RegisterScopes(Scope, "other").DisableResourceValidation().IgnoreResourcePermissions();
        server.AddSigningKey(FreshKey()).AddEphemeralEncryptionKey().DisableAccessTokenEncryption();
        server.UseAspNetCore().DisableTransportSecurityRequirement().EnableTokenEndpointPassthrough().EnableAuthorizationEndpointPassthrough();
    }

    private static RsaSecurityKey FreshKey() => new(RSA.Create(2048)) { KeyId = Guid.NewGuid().ToString() };

    private static async Task RegisterAsync(IServiceProvider services)
    {
        await using AsyncServiceScope scope = services.CreateAsyncScope();
        var applications = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        await applications.CreateAsync(Client(Machine, Permissions.Endpoints.Token, Permissions.Endpoints.Revocation, Permissions.GrantTypes.ClientCredentials));
        await applications.CreateAsync(Client(Introspector, Permissions.Endpoints.Introspection));
        OpenIddictApplicationDescriptor native = Client(
            Native,
            Permissions.Endpoints.Authorization,
            Permissions.Endpoints.Token,
            Permissions.GrantTypes.AuthorizationCode,
            Permissions.GrantTypes.RefreshToken,
            Permissions.ResponseTypes.Code);
        native.ClientSecret = null;
        native.ClientType = ClientTypes.Public;
        native.ApplicationType = ApplicationTypes.Native;
        native.RedirectUris.Add(new Uri("http://localhost/callback"));
        await applications.CreateAsync(native);
    }

    private static OpenIddictApplicationDescriptor Client(string id, params string[] permissions)
    {
        var client = new OpenIddictApplicationDescriptor { ClientId = id, ClientSecret = Secret };
        client.Permissions.UnionWith([.. permissions, Permissions.Prefixes.Scope + Scope, Permissions.Prefixes.Scope + "other"]);
        return client;
    }

    private static IResult SignInAsync(HttpContext context)
    {
        OpenIddictRequest request = context.GetOpenIddictServerRequest()!;
        var identity = new ClaimsIdentity(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        identity.SetClaim(Claims.Subject, request.IsClientCredentialsGrantType() ? request.ClientId : "alice");
        identity.SetScopes(request.GetScopes());
        identity.SetAudiences(TokenForge.Audience, Introspector);
        identity.SetDestinations(_ => [Destinations.AccessToken]);
        return Results.SignIn(new ClaimsPrincipal(identity), properties: null, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }

    private async Task<JsonElement> PostAsync(string path, Dictionary<string, string> form)
    {
        using HttpResponseMessage response = await _http.PostAsync($"{Url}{path}", new FormUrlEncodedContent(form));
        string body = await response.Content.ReadAsStringAsync();
        Xunit.Assert.True(response.IsSuccessStatusCode, body);
        return body.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(body);
    }
}
