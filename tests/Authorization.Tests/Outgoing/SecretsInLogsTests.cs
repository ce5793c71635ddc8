using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Drives every flow at debug level and looks for each secret that was made on the way.</summary>
public sealed class SecretsInLogsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(OutgoingGrant.AuthorizationCode)]
    [InlineData(OutgoingGrant.DeviceCode)]
    [InlineData(OutgoingGrant.ClientCredentials)]
    [InlineData(OutgoingGrant.JwtBearer)]
    public async Task NoSecretReachesTheLog(OutgoingGrant grant)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(PolicyFor(grant));
        List<string> told = [];

        told.Add((await AskAsync(rig, proxy)).Body);
        rig.Server.RevokeAll();
        told.Add((await AskAsync(rig, proxy)).Body);
        rig.Server.Overrides["/token"] = FailWithWhatCameAsync;
        rig.Clock.Advance(TimeSpan.FromHours(2));
        told.Add((await AskAsync(rig, proxy)).Body);

        Assert.NotEmpty(rig.Server.Secrets);
        Assert.NotEmpty(rig.Browser.Lines);
        foreach (string secret in rig.Server.Secrets.Append("s3cret").Append("workload-assertion"))
        {
            Assert.DoesNotContain(rig.Browser.Lines.Concat(told), line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    private OutgoingPolicy PolicyFor(OutgoingGrant grant) => Rig.Policy with
    {
        Grant = grant,
        StorePath = _folder.File("store"),
        ClientId = grant is OutgoingGrant.ClientCredentials ? "machine" : null,
        ClientSecret = grant is OutgoingGrant.ClientCredentials ? "s3cret" : null,
        AssertionFile = grant is OutgoingGrant.JwtBearer ? _folder.Write("assertion", "workload-assertion") : null,
    };

    private static async Task<(int Status, string Body)> AskAsync(Rig rig, ForwardingProxy proxy)
    {
        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        while (!asked.IsCompleted)
        {
            // Moves the device flow's polling on.
            rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(asked, Task.Delay(20));
        }

        return await asked;
    }

    // The rudest server: it repeats in its error what it was sent.
    private static async Task FailWithWhatCameAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        string all = string.Join(' ', form.Select(pair => $"{pair.Key}={pair.Value}"));
        http.Response.StatusCode = 400;
        await http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "invalid_request", ["error_description"] = all });
    }
}
