using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Admission;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>The published attacks on JOSE (RFC 8725 §2), each against the gate as it runs.</summary>
public sealed class JwtAttackTests : IAsyncLifetime
{
    private IncomingFixture _fixture = null!;

    private TokenForge Forge => _fixture.Forge;

    public async Task InitializeAsync() => _fixture = await IncomingFixture.StartAsync();

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("")]
    public async Task UnsignedTokenIsRefused(string algorithm)
    {
        string unsigned = $"{Text($$"""{"alg":"{{algorithm}}","typ":"JWT"}""")}.{Text(Forge.Payload().ToJsonString())}.";

        Assert.Equal("algorithm-not-allowed", await _fixture.ReasonAsync(unsigned));
    }

    [Fact]
    public async Task GoodHeaderWithEmptySignatureIsRefused()
    {
        string token = Forge.Make(_fixture.Key);

        Assert.Equal(TokenVerdictKind.InvalidToken, (await _fixture.DecideAsync(token[..(token.LastIndexOf('.') + 1)])).Kind);
    }

    [Theory]
    [InlineData("HS256")]
    [InlineData("HS384")]
    [InlineData("HS512")]
    public async Task HmacWithThePublicKeyIsRefused(string algorithm)
    {
        string signed = $"{Text($$"""{"alg":"{{algorithm}}","typ":"JWT","kid":"key-1"}""")}.{Text(Forge.Payload().ToJsonString())}";
        byte[] publicKey = Encoding.ASCII.GetBytes($"{{{_fixture.Key.PublicMembers}}}");
        string token = $"{signed}.{TestKey.Text(HMACSHA256.HashData(publicKey, Encoding.ASCII.GetBytes(signed)))}";

        Assert.Equal("algorithm-not-allowed", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task SymmetricKeyInTheKeySetIsNoKey()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        _fixture.Provider.Answer("/keys", $$"""{"keys":[{"kty":"oct","kid":"key-1","k":"{{TestKey.Text(secret)}}"}]}""");
        string signed = $"{Text("""{"alg":"HS256","kid":"key-1"}""")}.{Text(Forge.Payload().ToJsonString())}";
        string token = $"{signed}.{TestKey.Text(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}";

        Assert.Equal("algorithm-not-allowed", await _fixture.ReasonAsync(token));
    }

    [Theory]
    [InlineData("../../../../dev/null")]
    [InlineData("key-1' OR '1'='1")]
    [InlineData("key-1\u0000")]
    [InlineData("https://evil.example/keys")]
    [InlineData("")]
    public async Task InjectedKeyIdIsAnUnknownKey(string keyId)
    {
        string token = Forge.Make(_fixture.Key, header: header => header["kid"] = keyId);

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(token));
    }

    [Theory]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("[\"key-1\"]")]
    public async Task KeyIdThatIsNoStringIsMalformed(string json)
    {
        string token = Forge.Make(_fixture.Key, header: header => header["kid"] = JsonNode.Parse(json));

        Assert.Equal("malformed-header", await _fixture.ReasonAsync(token));
    }

    [Fact]
    public async Task KeyInTheHeaderIsIgnored()
    {
        TestKey attackers = TestKey.Rsa("key-1");
        string token = Forge.Make(attackers, header: header => header["jwk"] = JsonNode.Parse($"{{{attackers.PublicMembers}}}"));

        Assert.Equal("bad-signature", await _fixture.ReasonAsync(token));
    }

    [Theory]
    [InlineData("jku")]
    [InlineData("x5u")]
    public async Task KeyAddressInTheHeaderIsNeverAsked(string member)
    {
        TestKey attackers = TestKey.Rsa("key-1");
        _fixture.Provider.Answer("/evil", TestKey.SetOf([attackers]));
        string token = Forge.Make(attackers, header: header => header[member] = $"{_fixture.Provider.Url}/evil");

        Assert.Equal("bad-signature", await _fixture.ReasonAsync(token));
        Assert.Equal(0, _fixture.Provider.TimesAsked("/evil"));
    }

    [Fact]
    public async Task UnderstoodIsWhatCriticalHeadersAreNot()
    {
        string token = Forge.Make(_fixture.Key, header: header => header["crit"] = new JsonArray("exp"));

        Assert.Equal("critical-header", await _fixture.ReasonAsync(token));
    }

    [Theory]
    [InlineData("alg", "\"RS256\"")]
    [InlineData("kid", "\"key-1\"")]
    public async Task DuplicateHeaderMemberIsRefused(string name, string value)
    {
        string header = $$"""{"alg":"RS256","kid":"key-1","{{name}}":{{value}}}""";

        Assert.Equal("malformed-header", await _fixture.ReasonAsync(_fixture.Key.Sign(header, Forge.Payload().ToJsonString(), "RS256")));
    }

    [Theory]
    [InlineData("sub", "\"mallory\"")]
    [InlineData("aud", "\"https://mcp.example.com/mcp\"")]
    [InlineData("exp", "99999999999")]
    [InlineData("scope", "\"admin\"")]
    public async Task DuplicateClaimIsRefused(string name, string value)
    {
        string payload = Forge.Payload().ToJsonString()[..^1] + $",\"{name}\":{value}}}";

        Assert.Equal("malformed-payload", await _fixture.ReasonAsync(_fixture.Key.Sign("""{"alg":"RS256","kid":"key-1"}""", payload, "RS256")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(300)]
    public async Task TruncatedSignatureIsRefused(int characters)
    {
        string token = Forge.Make(_fixture.Key);

        Assert.Equal(TokenVerdictKind.InvalidToken, (await _fixture.DecideAsync(token[..^characters])).Kind);
    }

    [Fact]
    public async Task ChangedPayloadIsRefused()
    {
        string[] parts = Forge.Make(_fixture.Key).Split('.');
        JsonObject payload = Forge.Payload();
        payload["sub"] = "mallory";

        Assert.Equal("bad-signature", await _fixture.ReasonAsync($"{parts[0]}.{Text(payload.ToJsonString())}.{parts[2]}"));
    }

    [Fact]
    public async Task TokenByAnotherKeyOfTheSameNameIsRefused() =>
        Assert.Equal("bad-signature", await _fixture.ReasonAsync(Forge.Make(TestKey.Rsa("key-1"))));

    [Fact]
    public async Task ZeroSignatureOfACurveIsRefused()
    {
        TestKey key = TestKey.Curve("key-2", "P-256");
        _fixture.Provider.Publish(_fixture.Key, key);
        string token = Forge.Make(key);

        Assert.Equal("bad-signature", await _fixture.ReasonAsync($"{token[..token.LastIndexOf('.')]}.{TestKey.Text(new byte[64])}"));
    }

    [Fact]
    public async Task KeyIsNotUsedForAnAlgorithmOfAnotherKind()
    {
        TestKey key = TestKey.Curve("key-1", "P-384");

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(Forge.Make(key)));
    }

    [Fact]
    public async Task KeyThatNamesItsAlgorithmIsForThatAlone()
    {
        var key = TestKey.Rsa("key-2");
        _fixture.Provider.Answer("/keys", $$"""{"keys":[{"kid":"key-2","alg":"RS256",{{key.PublicMembers}}}]}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(Forge.Make(key, "RS256")));
        Assert.Equal("unknown-key", await _fixture.ReasonAsync(Forge.Make(key, "PS256")));
    }

    [Theory]
    [InlineData("{\"kid\":\"key-2\",\"use\":\"enc\",{0}}", 2048)]
    [InlineData("{\"kid\":\"key-2\",{0}}", 1024)]
    public async Task UnfitKeyIsNoKey(string published, int bits)
    {
        TestKey key = TestKey.Rsa("key-2", bits);
        string unfit = published.Replace("{0}", key.PublicMembers, StringComparison.Ordinal);
        _fixture.Provider.Answer("/keys", $$"""{"keys":[{{unfit}},{"kid":"key-1",{{_fixture.Key.PublicMembers}}}]}""");

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(Forge.Make(key)));
        Assert.Equal("admitted", await _fixture.ReasonAsync(Forge.Make(_fixture.Key)));
    }

    [Theory]
    [InlineData("{\"kid\":\"key-2\",\"key_ops\":[\"encrypt\"],{0}}")]
    [InlineData("{\"kid\":\"key-2\",\"key_ops\":[\"sign\"],{0}}")]
    [InlineData("{\"kid\":\"key-2\",\"key_ops\":[],{0}}")]
    [InlineData("{\"kid\":\"key-2\",\"key_ops\":\"verify\",{0}}")]
    [InlineData("{\"kid\":\"key-2\",\"use\":[\"sig\"],{0}}")]
    [InlineData("{\"kid\":\"key-2\",\"use\":\"sig\",\"key_ops\":[\"wrapKey\"],{0}}")]
    [InlineData("{\"kid\":\"key-2\",\"alg\":7,{0}}")]
    public async Task KeyForAnotherPurposeIsNoKey(string published)
    {
        TestKey key = TestKey.Rsa("key-2");
        string unfit = published.Replace("{0}", key.PublicMembers, StringComparison.Ordinal);
        _fixture.Provider.Answer("/keys", $$"""{"keys":[{{unfit}},{"kid":"key-1",{{_fixture.Key.PublicMembers}}}]}""");

        Assert.Equal("unknown-key", await _fixture.ReasonAsync(Forge.Make(key)));
    }

    [Fact]
    public async Task KeyThatMayVerifyAmongOtherThingsIsAKey()
    {
        TestKey key = TestKey.Rsa("key-2");
        _fixture.Provider.Answer("/keys", $$"""{"keys":[{"kid":"key-2","use":"sig","key_ops":["sign","verify"],{{key.PublicMembers}}}]}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(Forge.Make(key)));
    }

    [Theory]
    [InlineData(1024, 128, "unknown-key")]
    [InlineData(2048, 1, "admitted")]
    [InlineData(2048, 900, "admitted")]
    public async Task RsaKeyIsAsLargeAsItsNumberIs(int bits, int zeros, string reason)
    {
        TestKey key = TestKey.Rsa("key-2", bits, zeros);
        _fixture.Provider.Publish(_fixture.Key, key);

        Assert.Equal(reason, await _fixture.ReasonAsync(Forge.Make(key)));
    }

    [Fact]
    public async Task KeysThatCannotBeUsedTakeNoOthersPlace()
    {
        IEnumerable<string> unfit = Enumerable.Repeat("""{"kty":"oct","k":"AAAA"}""", IssuerKeySet.MaxKeys);
        _fixture.Provider.Answer("/keys", $$"""{"keys":[{{string.Join(',', unfit)}},{"kid":"key-1",{{_fixture.Key.PublicMembers}}}]}""");

        Assert.Equal("admitted", await _fixture.ReasonAsync(Forge.Make(_fixture.Key)));
    }

    [Theory]
    [InlineData("""{"alg":"RS256","kid":"\ud800"}""")]
    [InlineData("""{"alg":"RS256","kid":"key-1","typ":"\udc00"}""")]
    [InlineData("""{"alg":"\ud800","kid":"key-1"}""")]
    [InlineData("""{"alg":"RS256","kid":"key-1","x":"\ud800\ud800"}""")]
    [InlineData("""{"alg":"RS256","kid":"key-1","\udfff":1}""")]
    public async Task HeaderWithHalfASurrogatePairIsRefused(string header) =>
        Assert.Equal("malformed-header", await _fixture.ReasonAsync(_fixture.Key.Sign(header, Forge.Payload().ToJsonString(), "RS256")));

    [Theory]
    [InlineData("\"sub\":\"\\ud800\"")]
    [InlineData("\"x\":\"\\udc00\"")]
    [InlineData("\"x\":{\"y\":[\"\\ud800\"]}")]
    [InlineData("\"\\ud800\":1")]
    public async Task PayloadWithHalfASurrogatePairIsRefused(string member)
    {
        JsonObject payload = Forge.Payload();
        payload.Remove("sub");
        string json = payload.ToJsonString()[..^1] + $",{member}}}";

        Assert.Equal("malformed-payload", await _fixture.ReasonAsync(_fixture.Key.Sign("""{"alg":"RS256","kid":"key-1"}""", json, "RS256")));
    }

    [Theory]
    [InlineData(0xFF)]
    [InlineData(0xC0)]
    [InlineData(0xED)]
    public async Task BytesThatAreNoUtf8AreRefused(byte stray)
    {
        byte[] header = [.. "{\"alg\":\"RS256\",\"kid\":\"key-1\",\"x\":\""u8, stray, .. "\"}"u8];
        byte[] payload = [.. Encoding.UTF8.GetBytes(Forge.Payload().ToJsonString()[..^1]), .. ",\"x\":\""u8, stray, .. "\"}"u8];
        byte[] goodHeader = Encoding.UTF8.GetBytes("""{"alg":"RS256","kid":"key-1"}""");
        byte[] goodPayload = Encoding.UTF8.GetBytes(Forge.Payload().ToJsonString());

        Assert.Equal("malformed-header", await _fixture.ReasonAsync(_fixture.Key.Sign(header, goodPayload, "RS256")));
        Assert.Equal("malformed-payload", await _fixture.ReasonAsync(_fixture.Key.Sign(goodHeader, payload, "RS256")));
    }

    [Fact]
    public async Task WholeSurrogatePairIsText()
    {
        string payload = Forge.Payload().ToJsonString()[..^1] + ",\"name\":\"\\ud83d\\ude00\"}";

        Assert.Equal("admitted", await _fixture.ReasonAsync(_fixture.Key.Sign("""{"alg":"RS256","kid":"key-1"}""", payload, "RS256")));
    }

    [Theory]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("e30.e30.e30")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.e30")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9..")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.e30.AAAA.AAAA.AAAA")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.bm90LWpzb24.AAAA")]
    [InlineData("opaque")]
    public async Task RubbishIsRefused(string token) =>
        Assert.Equal(TokenVerdictKind.InvalidToken, (await _fixture.DecideAsync(token)).Kind);

    [Fact]
    public async Task DeeplyNestedHeaderIsRefused()
    {
        string header = $$"""{"alg":"RS256","x":{{new string('[', 2_000)}}{{new string(']', 2_000)}}}""";

        Assert.Equal("malformed-header", await _fixture.ReasonAsync(_fixture.Key.Sign(header, Forge.Payload().ToJsonString(), "RS256")));
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("\t")]
    [InlineData("\u00e9")]
    [InlineData(",")]
    public void BlanksAndForeignLettersInATokenNeverReachTheGate(string stray)
    {
        string token = Forge.Make(_fixture.Key);
        byte[] field = Encoding.UTF8.GetBytes($"Bearer {token[..40]}{stray}{token[40..]}");

        Assert.Equal(BearerRead.Malformed, BearerToken.Read(field, out _));
    }

    [Fact]
    public void TokenOfOneMebibyteNeverReachesTheGate()
    {
        string token = Forge.Make(_fixture.Key, payload: payload => payload["filler"] = new string('x', 1024 * 1024));

        Assert.Equal(BearerRead.Malformed, BearerToken.Read(Encoding.ASCII.GetBytes($"Bearer {token}"), out _));
    }

    private static string Text(string json) => TestKey.Text(Encoding.UTF8.GetBytes(json));
}
