using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Answers of authorization servers that are well-formed, and odd: what can be used is used, and what cannot is named.</summary>
public sealed class OddAnswerTests
{
    private const string Half = "\\ud800";

    [Theory]
    [InlineData("application/json; charset=utf8")]
    [InlineData("application/json; charset=windows-1252")]
    [InlineData("application/json; charset=\"no such thing\"")]
    public async Task JsonIsUtf8WhateverItsCharsetSays(string mediaType)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.WriteTokens = tokens => (mediaType, tokens.ToJsonString());
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public async Task KeysInAnUnknownCharsetEndNoSignIn()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata["jwks_uri"] = $"{rig.Server.Origin}/keys";
        rig.Server.EditTokens = tokens => tokens["id_token"] = "a.b.c";
        rig.Server.Overrides["/keys"] = http =>
        {
            http.Response.ContentType = "application/json; charset=utf8";
            return http.Response.Body.WriteAsync("{\"keys\":[]}"u8.ToArray()).AsTask();
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Scopes = ["openid"] });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public async Task MembersThatAreNullAreNotThere()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens =>
        {
            foreach (string name in (string[])["error", "error_description", "error_uri", "id_token", "scope"])
            {
                tokens[name] = null;
            }
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        rig.Server.RevokeAll();
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(["authorization_code", "refresh_token"], rig.Server.TokenRequests.Select(request => request["grant_type"]));
    }

    [Fact]
    public async Task HalfOfASurrogatePairInAMemberThatIsNotNeededChangesNothing()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.WriteTokens = Adding($"\"expires_in\":\"{Half}\",\"error_description\":\"{Half}\",\"scope\":\"{Half}\"", except: "expires_in");
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    /// <summary>No member can be looked for beside such a name: the answer is none.</summary>
    [Fact]
    public async Task HalfOfASurrogatePairInANameIsNamed()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.WriteTokens = Adding($"\"{Half}\":1");
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains("answered 200 with something that is not an OAuth answer", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MetadataWithSuchANameIsNoDocument()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/.well-known/oauth-authorization-server"] = http =>
            http.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"{{\"issuer\":\"{rig.Server.Origin}\",\"{Half}\":1}}")).AsTask();
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains("/.well-known/oauth-authorization-server: 200, but the body is not the JSON document that was expected", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("access_token", 16)]
    [InlineData("refresh_token", 64)]
    [InlineData("id_token", 64)]
    public async Task TokenThatIsTooLongIsNamed(string name, int kibibytes)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens[name] = new string('a', (kibibytes * 1024) + 1);
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"its {name} is longer than {kibibytes} KiB", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("client_id")]
    [InlineData("client_secret")]
    public async Task RegistrationThatIsTooLongIsNamed(string name)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/register"] = http =>
        {
            http.Response.StatusCode = 201;
            var answer = new JsonObject { ["client_id"] = "client", [name] = new string('+', (8 * 1024) + 1) };
            return http.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(answer.ToJsonString())).AsTask();
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains("a client_id or client_secret of more than 8 KiB", body, StringComparison.Ordinal);
        Assert.Empty(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ClientIdThatIsANumberIsTaken()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Overrides["/register"] = http =>
        {
            http.Response.StatusCode = 201;
            return http.Response.Body.WriteAsync("{\"client_id\":4711,\"client_secret\":null}"u8.ToArray()).AsTask();
        };
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal("4711", rig.Server.Authorizations.Single()["client_id"]);
    }

    /// <summary>The answer with further members, as they stand.</summary>
    private static Func<JsonObject, (string MediaType, string Text)> Adding(string members, string? except = null) => tokens =>
    {
        _ = except is null || tokens.Remove(except);
        return ("application/json", $"{tokens.ToJsonString()[..^1]},{members}}}");
    };
}
