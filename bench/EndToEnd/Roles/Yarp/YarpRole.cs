using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace McpProxyFast.EndToEnd.Roles.Yarp;

/// <summary>YARP as its manual's "direct forwarding" sets it up: one forwarder, one invoker, no routes, no logging.</summary>
internal static class YarpRole
{
    private const int Backlog = 4096;

    public static async Task<int> RunAsync(RoleArguments arguments)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHttpForwarder();
        builder.WebHost.UseSockets(sockets => sockets.Backlog = Backlog);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, arguments.Port, listen => listen.Protocols = HttpProtocols.Http1);

            // Limits out of the way, as with every other subject.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromHours(1);
            kestrel.AddServerHeader = false;
        });
        if (arguments.Issuer is { } issuer)
        {
            YarpJwt.Add(builder, issuer);
        }

        await using WebApplication app = builder.Build();
        if (arguments.Issuer is not null)
        {
            YarpJwt.Require(app);
        }

        Forward(app, arguments);
        await app.RunAsync();
        return 0;
    }

    private static void Forward(WebApplication app, RoleArguments arguments)
    {
        IHttpForwarder forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var invoker = new HttpMessageInvoker(NewHandler(arguments));
        HttpTransformer transformer = arguments.InjectedToken is { } token ? new TokenTransformer(token) : HttpTransformer.Empty;

        // Without the timeout YARP ends a stream that is silent for 100 seconds; without the version it offers HTTP/2 to a TLS upstream.
        var config = new ForwarderRequestConfig
        {
            ActivityTimeout = TimeSpan.FromHours(1),
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        app.Run(async context => await forwarder.SendAsync(context, arguments.UpstreamUrl, invoker, config, transformer));
    }

    private static SocketsHttpHandler NewHandler(RoleArguments arguments)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionIdleTimeout = TimeSpan.FromHours(1),
            MaxConnectionsPerServer = int.MaxValue,
        };
        if (arguments.CaFile is { } ca)
        {
            var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            chain.CustomTrustStore.ImportFromPemFile(ca);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = chain };
        }

        return handler;
    }

    private sealed class TokenTransformer(string token) : HttpTransformer
    {
        private readonly string _authorization = "Bearer " + token;

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Remove("Authorization");
            proxyRequest.Headers.TryAddWithoutValidation("Authorization", _authorization);
        }
    }
}
