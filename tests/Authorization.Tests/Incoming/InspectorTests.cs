using System.Diagnostics;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>The npm inspector in its command-line mode, with a real token.</summary>
public sealed class InspectorTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private AuthorizationServer _login = null!;

    public async Task InitializeAsync() => _login = await AuthorizationServer.StartAsync();

    public async Task DisposeAsync() => await _login.DisposeAsync();

    [InspectorFact]
    public async Task InspectorCallsAToolWithItsToken()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(TokenPolicy.Oidc(_login.Issuer, TokenForge.Audience));

        string output = await InspectAsync(server, $"Bearer {await _login.IssueAsync()}");

        Assert.Contains("Hello, alice", output, StringComparison.Ordinal);
    }

    [InspectorFact]
    public async Task InspectorWithABadTokenStaysOutside()
    {
        await using ProtectedServer server = await ProtectedServer.StartAsync(TokenPolicy.Oidc(_login.Issuer, TokenForge.Audience));

        string output = await InspectAsync(server, "Bearer bad");

        Assert.DoesNotContain("Hello", output, StringComparison.Ordinal);
        Assert.Empty(server.Authorizations);
    }

    private static async Task<string> InspectAsync(ProtectedServer server, string authorization)
    {
        string[] arguments =
        [
            "--cli", $"{server.Url}/mcp", "--transport", "http", "--header", $"Authorization: {authorization}",
            "--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=alice",
        ];
        using Process inspector = Process.Start(new ProcessStartInfo(InspectorFactAttribute.Command, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var patience = new CancellationTokenSource(Patience);
        Task<string> errors = inspector.StandardError.ReadToEndAsync(patience.Token);
        string output = await inspector.StandardOutput.ReadToEndAsync(patience.Token);
        await inspector.WaitForExitAsync(patience.Token);
        return output + await errors;
    }
}
