using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>A real authorization server that exchanges tokens, its own and those of one other: OpenIddict, in process, over real sockets.</summary>
internal sealed class ExchangingServer : IAsyncDisposable
{
    public const string ClientId = "proxy";
    public const string ClientSecret = "s3cret:with/odd+bytes";

    private readonly WebApplication _app;

    private ExchangingServer(WebApplication app) => _app = app;

    public string Issuer => $"{_app.Urls.First()}/";

    public Uri TokenUrl => new($"{Issuer}token");

    /// <param name="trusted">The other server, whose keys are where OpenIddict publishes them.</param>
    public static async Task<ExchangingServer> StartAsync(string trusted)
    {
        using var http = new HttpClient();
        var keys = new JsonWebKeySet(await http.GetStringAsync(new Uri($"{trusted}/.well-known/jwks")));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseShutdownTimeout(TimeSpan.Zero);
        builder.Services.AddOpenIddict().AddServer(options => Configure(options, keys));
        WebApplication app = builder.Build();
        await app.StartAsync();
        var server = new ExchangingServer(app);

        // The first request is the slowest by far, and the proxy waits for no more than ten seconds.
        using var nothing = new FormUrlEncodedContent([new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")]);
        using HttpResponseMessage first = await http.PostAsync(server.TokenUrl, nothing);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Configure(OpenIddictServerBuilder options, JsonWebKeySet keys)
    {
        options.SetTokenEndpointUris("token").AllowTokenExchangeFlow();
        options.AddEphemeralEncryptionKey().AddEphemeralSigningKey().DisableAccessTokenEncryption();
        options.RegisterScopes("tools").RegisterAudiences("https://upstream.example").EnableDegradedMode();
        options.UseAspNetCore().DisableTransportSecurityRequirement();
        options.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            if (context.ClientId != ClientId || context.ClientSecret != ClientSecret)
            {
                context.Reject(OpenIddictConstants.Errors.InvalidClient);
            }

            return default;
        }));
        options.AddEventHandler<ValidateTokenContext>(handler => handler.UseInlineHandler(context => TrustAsync(context, keys)).SetOrder(int.MinValue + 1));
        options.AddEventHandler<HandleTokenRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            var identity = new ClaimsIdentity("exchange");
            identity.SetClaim(OpenIddictConstants.Claims.Subject, context.SubjectTokenPrincipal!.GetClaim(OpenIddictConstants.Claims.Subject));
            identity.SetAudiences(context.Request.GetAudiences());
            identity.SetScopes(context.Request.GetScopes());
            context.SignIn(new ClaimsPrincipal(identity));
            return default;
        }));
    }

    /// <summary>Checks a token by the other server's keys, as a federated server does.</summary>
    private static async ValueTask TrustAsync(ValidateTokenContext context, JsonWebKeySet keys)
    {
        var parameters = new TokenValidationParameters { IssuerSigningKeys = keys.Keys, ValidateIssuer = false, ValidateAudience = false, NameClaimType = "sub" };
        TokenValidationResult result = await new JsonWebTokenHandler().ValidateTokenAsync(context.Token, parameters);
        if (result.IsValid)
        {
            context.Principal = new ClaimsPrincipal(result.ClaimsIdentity).SetTokenType(OpenIddictConstants.TokenTypeIdentifiers.AccessToken);
        }
    }
}
