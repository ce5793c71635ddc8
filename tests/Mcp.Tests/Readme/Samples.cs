using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace McpProxyFast.Mcp.Tests.Readme;

/// <summary>What README.md shows within a method of the reader's own. Each region is one code block of it, to the letter.</summary>
internal static class Samples
{
    public static async Task RunAsync(CancellationToken stopping)
    {
        // <readme>
        await using var proxy = new McpProxy(new McpProxyOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 9000),
            Target = new Uri("http://127.0.0.1:8080/mcp"),
            Incoming = TokenPolicy.Oidc(issuer: "https://login.example.com", audience: "https://mcp.example.com/mcp"),
        });
        await proxy.RunAsync(stopping);                                            // returns when drained
        // </readme>
    }

    public static async Task BridgeAsync(IDuplexPipe client, CancellationToken stopping)
    {
        // <readme>
        await using var bridge = new McpBridge(new McpBridgeOptions { Upstream = new McpProxyOptions { Target = new Uri("https://mcp.example.com/mcp") } });
        await bridge.RunAsync(client, stopping);                                   // returns when the client has ended
        // </readme>
    }

    public static void SignIn()
    {
        // <readme>
        OAuthPolicy person = OutgoingPolicy.OAuth() with { Store = new CredentialStoreFile(CredentialStoreFile.DefaultPath) };
        var machine = new OAuthPolicy
        {
            Server = OAuthServer.FromIssuer("https://login.example.com"),            // left out, the target names it
            Grant = new OAuthGrant.ClientCredentials("my-gateway", ClientAuthentication.KeyFile("/run/secrets/my-gateway.pem")),
        };
        // </readme>
        person.Validate();
        machine.Validate();
    }

    public static void Configure(WebApplicationBuilder builder, McpProxyOptions options, IPEndPoint address, X509Certificate2 certificate)
    {
        // <readme>
        builder.Services.AddSingleton(_ => new McpProxy(options));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;                 // the proxy speaks HTTP/1.1 only; over TLS, clients are told so
            listen.UseHttps(certificate);                           // leave it out for plain HTTP
            listen.UseConnectionHandler<ProxyConnections>();
        }));
        // </readme>
    }
}
