using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Validation.AspNetCore;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A protected upstream whose authorization server is a real one: OpenIddict, in process, over real sockets.</summary>
internal sealed class OpenIddictUpstream : IAsyncDisposable
{
    public const string ClientId = "proxy";
    public const string ClientSecret = "s3cret";

    private readonly WebApplication _app;

    private OpenIddictUpstream(WebApplication app) => _app = app;

    public Uri Target => new($"{_app.Urls.First()}/mcp");

    /// <summary>OpenIddict's issuer ends with a slash, which must survive.</summary>
    public string Issuer => $"{_app.Urls.First()}/";

    public ConcurrentQueue<string?> GrantTypes { get; } = new();

    public static async Task<OpenIddictUpstream> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var grantTypes = new List<OpenIddictUpstream>();
        builder.Services.AddOpenIddict()
            .AddServer(options => Configure(options, grant => grantTypes[0].GrantTypes.Enqueue(grant)))
            .AddValidation(options =>
            {
                options.UseLocalServer();
                options.UseAspNetCore();
            });
        WebApplication app = builder.Build();
        var upstream = new OpenIddictUpstream(app);
        grantTypes.Add(upstream);
        app.UseAuthentication();
        app.Run(upstream.AnswerAsync);
        await app.StartAsync();
        return upstream;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Configure(OpenIddictServerBuilder options, Action<string?> onGrant)
    {
        options.SetAuthorizationEndpointUris("authorize").SetTokenEndpointUris("token");
        options.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange().AllowRefreshTokenFlow().AllowClientCredentialsFlow();
        options.AddEphemeralEncryptionKey().AddEphemeralSigningKey();
        options.RegisterScopes("openid", "offline_access", "tools");
        options.DisableResourceValidation();
        options.EnableDegradedMode();
        options.UseAspNetCore().DisableTransportSecurityRequirement();
        options.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            if (context.ClientId != ClientId)
            {
                context.Reject(OpenIddictConstants.Errors.InvalidClient);
            }

            return default;
        }));
        options.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            onGrant(context.Request.GrantType);
            if (context.ClientId != ClientId || context.ClientSecret != ClientSecret)
            {
                context.Reject(OpenIddictConstants.Errors.InvalidClient);
            }

            return default;
        }));
        options.AddEventHandler<HandleAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            context.SignIn(Principal(context.Request));
            return default;
        }));
        options.AddEventHandler<HandleTokenRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            if (context.Request.IsClientCredentialsGrantType())
            {
                context.SignIn(Principal(context.Request));
            }

            return default;
        }));
    }

    private static ClaimsPrincipal Principal(OpenIddictRequest request)
    {
        var identity = new ClaimsIdentity("test");
        identity.SetClaim(OpenIddictConstants.Claims.Subject, "somebody");
        var principal = new ClaimsPrincipal(identity);
        principal.SetScopes(request.GetScopes());
        return principal;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        switch (http.Request.Path)
        {
            case "/.well-known/oauth-protected-resource/mcp":
                await http.Response.WriteAsJsonAsync(new { resource = Target.OriginalString, authorization_servers = new[] { Issuer }, scopes_supported = new[] { "tools" } });
                break;
            case "/mcp":
                AuthenticateResult result = await http.AuthenticateAsync(OpenIddictValidationAspNetCoreDefaults.AuthenticationScheme);
                http.Response.StatusCode = result.Succeeded ? 200 : 401;
                http.Response.Headers.WWWAuthenticate = result.Succeeded ? default : "Bearer";
                await http.Response.WriteAsync(string.Join(' ', result.Principal?.GetScopes().Order() ?? Enumerable.Empty<string>().Order()));
                break;
            default:
                http.Response.StatusCode = 404;
                break;
        }
    }
}
