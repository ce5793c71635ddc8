using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Engine.Tests.Rewriting;

/// <summary>Fields that the proxy adds go out once, and no line of the client's own can stand beside them.</summary>
public sealed class ReplacedFieldTests
{
    private static readonly Uri Upstream = new("http://up.test:9/");

    [Theory]
    [InlineData("X-Key: evil")]
    [InlineData("x-key: evil")]
    [InlineData("X_Key: evil")]
    [InlineData("X-KEY:evil")]
    [InlineData("X-Key: evil\r\nX-Key: evil")]
    [InlineData("Connection: x-key\r\nX-Key: evil")]
    public void ClientsLineOfTheNameDoesNotGoOn(string lines) => Assert.Equal(
        "GET / HTTP/1.1\r\nHost: up.test:9\r\nX-A: 1\r\nX-B: 2\r\nX-Key: ours\r\n\r\n",
        Rewrite($"GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n{lines}\r\nX-B: 2\r\n\r\n", "X-Key: ours\r\n", "X-Key"));

    [Theory]
    [InlineData("X-Keys: 1")]
    [InlineData("X-Ke: 1")]
    [InlineData("X-Kez: 1")]
    [InlineData("X.Key: 1")]
    [InlineData("XXKey: 1")]
    public void OtherNamesGoOn(string line) => Assert.Equal(
        $"GET / HTTP/1.1\r\nHost: up.test:9\r\n{line}\r\nX-Key: ours\r\n\r\n", Rewrite($"GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n", "X-Key: ours\r\n", "X-Key"));

    /// <summary>Every pattern of lines of ours and theirs, so that every run of copied bytes starts and ends somewhere.</summary>
    [Fact]
    public void EveryPatternOfLinesLeavesInOrder()
    {
        const int lines = 6;
        for (int pattern = 0; pattern < 1 << lines; pattern++)
        {
            string[] all = [.. Enumerable.Range(0, lines).Select(i => (pattern & (1 << i)) != 0 ? $"X-{i}:  {i} \r\n" : $"Y-{i % 2}: {i}\r\n")];
            string kept = string.Concat(all.Where(line => line.StartsWith('X')));

            Assert.Equal(
                $"GET / HTTP/1.1\r\nHost: up.test:9\r\n{kept}Y-0: a\r\nY-1: b\r\n\r\n",
                Rewrite($"GET / HTTP/1.1\r\nHost: h\r\n{string.Concat(all)}\r\n", "Y-0: a\r\nY-1: b\r\n", "Y-0", "Y-1"));
        }
    }

    /// <summary>A name that the proxy knows for another reason is one like any other here.</summary>
    [Theory]
    [InlineData("Origin")]
    [InlineData("Alt-Used")]
    [InlineData("Access-Control-Request-Method")]
    [InlineData("User-Agent")]
    public void NameThatIsKnownIsReplacedToo(string name) => Assert.Equal(
        $"GET / HTTP/1.1\r\nHost: up.test:9\r\n{name}: ours\r\n\r\n", Rewrite($"GET / HTTP/1.1\r\nHost: h\r\n{name}: theirs\r\n\r\n", $"{name}: ours\r\n", name));

    [Fact]
    public void LongNamesAreToldApart()
    {
        string name = new('x', 200);
        Assert.Equal(
            $"GET / HTTP/1.1\r\nHost: up.test:9\r\n{name}y: 2\r\n{name}: ours\r\n\r\n",
            Rewrite($"GET / HTTP/1.1\r\nHost: h\r\n{name}: 1\r\n{name}y: 2\r\n\r\n", $"{name}: ours\r\n", name));
    }

    [Fact]
    public void AddedAuthorizationTakesTheCredentialsPlace()
    {
        RequestHead head = Heads.Request("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer client\r\nDPoP: p\r\n\r\n");
        RequestRewriter rewriter = Rewriter("authorization");

        string sent = Capture.Of(output => rewriter.Write(
            head,
            new RequestEdits { CredentialLines = "Authorization: DPoP ours\r\nDPoP: proof\r\n"u8, AddedLines = "authorization: Basic YTpi\r\n"u8 },
            output));

        Assert.Equal("GET / HTTP/1.1\r\nHost: up.test:9\r\nauthorization: Basic YTpi\r\n\r\n", sent);
    }

    /// <summary>A credential's own field is replaced without being added: its line is the credential's.</summary>
    [Fact]
    public void CredentialReplacesTheClientsLineOfItsField()
    {
        RequestHead head = Heads.Request("GET / HTTP/1.1\r\nHost: h\r\nX-Cred: client\r\n\r\n");
        var rewriter = new RequestRewriter(Upstream, ForwardedRule.Off, hop: null, new ReplacedNames("X-Cred"));

        string sent = Capture.Of(output => rewriter.Write(head, new RequestEdits { CredentialLines = "X-Cred: ours\r\n"u8 }, output));

        Assert.Equal("GET / HTTP/1.1\r\nHost: up.test:9\r\nX-Cred: ours\r\n\r\n", sent);
    }

    [Fact]
    public void CredentialInAFieldOfItsOwnStaysBesideOtherFields()
    {
        RequestHead head = Heads.Request("GET / HTTP/1.1\r\nHost: h\r\nX-Token: client\r\n\r\n");
        RequestRewriter others = Rewriter("X-Key");
        RequestRewriter same = Rewriter("X-Token");

        Assert.EndsWith("X-Cred: ours\r\nX-Key: 1\r\n\r\n", Write(others, "X-Cred: ours\r\n", "X-Key: 1\r\n"), StringComparison.Ordinal);
        Assert.Equal("GET / HTTP/1.1\r\nHost: up.test:9\r\nX-Token: added\r\n\r\n", Write(same, "X-Token: ours\r\n", "X-Token: added\r\n"));

        string Write(RequestRewriter rewriter, string credential, string added) => Capture.Of(output => rewriter.Write(
            head,
            new RequestEdits { CredentialLines = System.Text.Encoding.ASCII.GetBytes(credential), AddedLines = System.Text.Encoding.ASCII.GetBytes(added) },
            output));
    }

    private static string Rewrite(string received, string added, params string[] names)
    {
        RequestHead head = Heads.Request(received);
        RequestRewriter rewriter = Rewriter(names);
        return Capture.Of(output => rewriter.Write(head, new RequestEdits { AddedLines = System.Text.Encoding.ASCII.GetBytes(added) }, output));
    }

    private static RequestRewriter Rewriter(params string[] names)
    {
        var added = new ReplacedNames(names);
        return new RequestRewriter(Upstream, ForwardedRule.Off, hop: null, added, added);
    }
}
