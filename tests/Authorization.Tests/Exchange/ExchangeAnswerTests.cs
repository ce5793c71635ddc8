using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>What the client is told of each way in which an exchange can fail, and for how long it holds.</summary>
public sealed class ExchangeAnswerTests : IAsyncLifetime
{
    private ExchangeRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ExchangeRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Theory]
    [InlineData("invalid_grant", 400, 401, "invalid_token")]
    [InlineData("invalid_token", 400, 401, "invalid_token")]
    [InlineData("invalid_scope", 400, 403, "invalid_scope")]
    [InlineData("access_denied", 403, 403, "access_denied")]
    [InlineData("invalid_target", 400, 502, "exchange-target-refused")]
    [InlineData("invalid_client", 401, 502, "exchange-refused")]
    [InlineData("unsupported_grant_type", 400, 502, "exchange-refused")]
    [InlineData("temporarily_unavailable", 400, 503, "exchange-unavailable")]
    [InlineData("invalid_grant", 503, 503, "exchange-unavailable")]
    public async Task EachErrorHasItsOwnAnswer(string error, int serversStatus, int status, string code)
    {
        _rig.Refuse(error, serversStatus);
        Uri proxy = await _rig.ProxyAsync();

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer alice");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains($"\"{code}\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(status == 401, response.Headers.WwwAuthenticate.Count > 0);
        Assert.Equal(status == 503, response.Headers.RetryAfter is not null);
        Assert.Empty(_rig.Received);
    }

    [Fact]
    public async Task ErrorInASuccessIsAFailureToo()
    {
        _rig.Refuse("invalid_grant", 200, answer => answer["access_token"] = "not-to-be-used");
        Uri proxy = await _rig.ProxyAsync();

        Assert.StartsWith("401", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatTheServerSaysIsLoggedWithoutTheTokenAndNotToldToTheClient()
    {
        _rig.Refuse("invalid_request", 400, answer => answer["error_description"] = "the token al1ce-token by t0p-secret is odd");
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Client = TokenExchangeClient.Basic("id", "t0p-secret") });

        string answer = await _rig.AskAsync(proxy, "al1ce-token");

        Assert.DoesNotContain("is odd", answer, StringComparison.Ordinal);
        Assert.Contains(_rig.Log.Lines, line => line.Contains("the token (redacted) by (redacted) is odd", StringComparison.Ordinal));
        Assert.All(["al1ce-token", "t0p-secret"], secret => Assert.DoesNotContain(_rig.Log.Lines, line => line.Contains(secret, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ClaimsThatAreAskedForReachTheClientInTheChallengeAndTheTokenIsNotShownAgain()
    {
        const string claims = """{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}""";
        _rig.Refuse("interaction_required", 400, answer => answer["claims"] = claims);
        Uri proxy = await _rig.ProxyAsync();

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer alice");

        string challenge = response.Headers.WwwAuthenticate.ToString();
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("error=\"insufficient_claims\"", challenge, StringComparison.Ordinal);
        Assert.Contains($"claims=\"{Convert.ToBase64String(Encoding.UTF8.GetBytes(claims))}\"", challenge, StringComparison.Ordinal);

        _rig.Answer = null;
        _rig.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.StartsWith("401", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        Assert.Equal("200 Bearer 1-for-alice2", await _rig.AskAsync(proxy, "alice2")); // what the caller comes back with is another token
        Assert.Equal(2, _rig.Exchanges.Count);
        _rig.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task AuthenticationThatIsAskedForReachesTheClient()
    {
        _rig.Refuse("insufficient_user_authentication", 400, answer =>
        {
            answer["acr_values"] = "urn:mfa gold";
            answer["max_age"] = 300;
        });
        Uri proxy = await _rig.ProxyAsync();

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer alice");

        Assert.Equal(
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"urn:mfa gold\", max_age=\"300\"", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task ChallengeHoldsNoBytesThatTheServerCouldBreakOutWith()
    {
        _rig.Refuse("insufficient_user_authentication", 400, answer =>
        {
            answer["acr_values"] = "a\", realm=\"b\r\nX-Evil: 1";
            answer["max_age"] = "1\r\nX: y";
        });
        Uri proxy = await _rig.ProxyAsync();

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer alice");

        Assert.Equal("Bearer error=\"insufficient_user_authentication\"", response.Headers.WwwAuthenticate.ToString());
    }

    public static TheoryData<string, Action<JsonObject>> Unusable => new()
    {
        { "DPoP", answer => answer["token_type"] = "DPoP" },
        { "refresh token", answer => answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:refresh_token" },
        { "SAML", answer => answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:saml2" },
        { "no token", answer => answer.Remove("access_token") },
        { "empty token", answer => answer["access_token"] = "" },
        { "line break", answer => answer["access_token"] = "a\r\nX-Evil: 1" },
        { "blank", answer => answer["access_token"] = "a b" },
        { "huge token", answer => answer["access_token"] = new string('a', (16 * 1024) + 1) },
        { "object", answer => answer["access_token"] = new JsonObject() },
        { "MAC", answer => answer["token_type"] = "mac" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task AnswerWithoutATokenThatCanBeSentIsNamedAndNotForwarded(string what, Action<JsonObject> edit)
    {
        _rig.EditAnswer = edit;
        Uri proxy = await _rig.ProxyAsync();

        string answer = await _rig.AskAsync(proxy, "alice");

        Assert.True(answer.StartsWith("502", StringComparison.Ordinal) && answer.Contains("exchange-answer-unusable", StringComparison.Ordinal), $"{what}: {answer}");
        Assert.Empty(_rig.Received);
    }

    [Theory]
    [InlineData("\"\\ud800\":1")]
    [InlineData("\"access_token\":\"\\ud800\"")]
    public async Task AnswerThatIsNoTextIsNamed(string members)
    {
        _rig.Answer = (http, _) => http.Response.WriteAsync("{\"access_token\":\"a\",\"token_type\":\"Bearer\"," + members + "}");
        Uri proxy = await _rig.ProxyAsync();

        Assert.Contains("exchange-answer-unusable", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        Assert.Empty(_rig.Received);
    }

    [Fact]
    public async Task MembersThatAreNullOrNoTextAndAnUnknownCharsetChangeNothing()
    {
        _rig.Answer = (http, _) =>
        {
            http.Response.ContentType = "application/json; charset=utf8";
            byte[] answer = "{\"access_token\":\"new\",\"token_type\":null,\"error\":null,\"expires_in\":\"\\ud800\",\"issued_token_type\":null}"u8.ToArray();
            return http.Response.BodyWriter.WriteAsync(answer).AsTask();
        };
        Uri proxy = await _rig.ProxyAsync();

        Assert.Equal("200 Bearer new", await _rig.AskAsync(proxy, "alice"));
    }

    [Fact]
    public async Task PageIsNoAnswer()
    {
        _rig.Answer = (http, _) => http.Response.WriteAsync("<html>maintenance</html>");
        Uri proxy = await _rig.ProxyAsync();

        Assert.Contains("exchange-answer-unusable", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswerOfTenMegabytesIsGivenUp()
    {
        _rig.Answer = (http, _) => http.Response.Body.WriteAsync(new byte[10 * 1024 * 1024]).AsTask();
        Uri proxy = await _rig.ProxyAsync();

        Assert.Contains("exchange-answer-unusable", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerThatIsDownIsTriedAgainAfterFiveSeconds()
    {
        _rig.Answer = (http, _) =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        Uri proxy = await _rig.ProxyAsync();

        Assert.StartsWith("503", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
        _rig.Answer = null;
        Assert.StartsWith("503", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal); // remembered
        Assert.Equal("200 Bearer 1-for-bob", await _rig.AskAsync(proxy, "bob"));                 // and for nobody else
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("200 Bearer 2-for-alice", await _rig.AskAsync(proxy, "alice"));
    }

    [Theory]
    [InlineData(17, false, "17")]
    [InlineData(17, true, "17")]
    [InlineData(-60, true, "1")]
    public async Task ServerThatSaysWhenToComeBackIsPassedOn(int seconds, bool isDate, string passedOn)
    {
        _rig.Answer = (http, _) =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.RetryAfter = isDate
                ? _rig.Clock.GetUtcNow().AddSeconds(seconds).ToString("R", CultureInfo.InvariantCulture)
                : seconds.ToString(CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        };
        Uri proxy = await _rig.ProxyAsync();

        using HttpResponseMessage response = await _rig.SendAsync(proxy, "Bearer alice");

        Assert.Equal((503, passedOn), ((int)response.StatusCode, response.Headers.RetryAfter!.ToString()));
    }

    [Fact]
    public async Task ServerThatIsSilentIsGivenUpAfterTenSeconds()
    {
        _rig.Answer = (_, _) => Task.Delay(Timeout.Infinite);
        Uri proxy = await _rig.ProxyAsync();
        Task<string> asked = _rig.AskAsync(proxy, "alice");
        await Patience.UntilAsync(() => !_rig.Exchanges.IsEmpty);
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Contains("exchange-unavailable", await asked, StringComparison.Ordinal);
        Assert.Empty(_rig.Received);
    }

    [Fact]
    public async Task ServerThatCannotBeReachedIsUnavailable()
    {
        Uri proxy = await _rig.ProxyAsync(new TokenExchangePolicy(new Uri("http://127.0.0.1:9/token")));

        Assert.Contains("exchange-unavailable", await _rig.AskAsync(proxy, "alice"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RefusedTokenOfALoginIsTheOperatorsAffair()
    {
        _rig.Refuse("invalid_grant");
        Uri proxy = await _rig.ProxyAsync(_rig.Policy with { Subject = TokenExchangeSubject.Of(OutgoingPolicy.Bearer("login")) });

        string answer = await _rig.AskAsync(proxy, "alice");

        Assert.StartsWith("503", answer, StringComparison.Ordinal);
        Assert.Contains("exchange-login-refused", answer, StringComparison.Ordinal);
    }
}
