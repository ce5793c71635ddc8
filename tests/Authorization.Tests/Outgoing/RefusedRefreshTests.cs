using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Which answers end a refresh token, and which only put a renewal off.</summary>
public class RefusedRefreshTests
{
    [Theory]
    [InlineData(200, """{"error":"bad_refresh_token"}""")]
    [InlineData(400, """{"error":"invalid_request"}""")]
    [InlineData(400, """{"error":"interaction_required"}""")]
    [InlineData(400, "<html>no</html>")]
    [InlineData(401, "")]
    [InlineData(403, """{"message":"no"}""")]
    public async Task ARefreshTokenThatIsRefusedForGoodInAnyWordsLeadsToASignIn(int status, string body)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await WithARefusedRefreshAsync(rig, status, body);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(2, rig.Server.Authorizations.Count);
    }

    [Theory]
    [InlineData(408, "")]
    [InlineData(429, """{"error":"invalid_request"}""")]
    [InlineData(500, """{"error":"invalid_grant"}""")]
    [InlineData(503, "<html>maintenance</html>")]
    [InlineData(200, "<html>maintenance</html>")]
    [InlineData(400, """{"error":"temporarily_unavailable"}""")]
    public async Task ARefreshTokenThatIsRefusedForNowIsKept(int status, string body)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await WithARefusedRefreshAsync(rig, status, body);
        Assert.Equal(503, (await rig.AskAsync(proxy)).Status);

        rig.Server.Overrides.Clear();
        rig.Clock.Advance(TimeSpan.FromMinutes(3));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
    }

    /// <summary>A proxy whose token has ended, before a server that answers a refresh like this.</summary>
    private static async Task<ForwardingProxy> WithARefusedRefreshAsync(Rig rig, int status, string body)
    {
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        AnswerRefreshWith(rig.Server, status, body);
        rig.Clock.Advance(TimeSpan.FromHours(2));
        return proxy;
    }

    /// <summary>Only a refresh is answered so; a sign-in goes well.</summary>
    private static void AnswerRefreshWith(SignInServer server, int status, string body) => server.Overrides["/token"] = async http =>
    {
        http.Request.EnableBuffering();
        IFormCollection form = await http.Request.ReadFormAsync();
        if (form["grant_type"] != "refresh_token")
        {
            await server.AnswerProperlyAsync(http);
            return;
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = body.StartsWith('{') ? "application/json" : "text/html";
        await http.Response.WriteAsync(body);
    };
}
