using System.Text;
using McpProxyFast.OAuth.Grants;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public sealed class RedactionTests
{
    /// <summary>Its Base64 has a slash, and so another form in the alphabet for URLs.</summary>
    private const string Secret = "s3cr%t/ü +A??>";

    public static TheoryData<string> Spellings() =>
    [
        Secret,
        Uri.EscapeDataString(Secret),
        Uri.EscapeDataString(Secret).Replace("%C3%BC", "%c3%bc", StringComparison.Ordinal),
        Uri.EscapeDataString(Uri.EscapeDataString(Secret)),
        Uri.EscapeDataString(Secret).Replace("%20", "+", StringComparison.Ordinal),
        string.Concat(Encoding.UTF8.GetBytes(Secret).Select(value => $"%{value:x2}")),
        string.Concat(Encoding.UTF8.GetBytes(Secret).Select(value => $"%{value:X2}")),
        Secret.Replace("/", "%2f", StringComparison.Ordinal),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
    ];

    [Theory]
    [MemberData(nameof(Spellings))]
    public void SecretIsTakenOutInEverySpelling(string spelling)
    {
        var redaction = new Redaction();
        redaction.Add(Secret);

        Assert.Matches("^it was '\\(redacted\\)=*', they say$", redaction.Of($"it was '{spelling}', they say"));
    }

    [Theory]
    [InlineData("https://login.example/token?key=s3cr%20t&v=1#part", "s3cr t")]
    [InlineData("https://login.example/token?s3cret-alone", "s3cret-alone")]
    [InlineData("https://login.example/token?a=b=s3cret", "b=s3cret")]
    public void ValuesInAQueryAreTakenOut(string url, string value)
    {
        var redaction = new Redaction();
        redaction.AddQueryOf(url);

        Assert.Equal("1: (redacted)", redaction.Of($"1: {value}"));
        Assert.True(redaction.IsIn(value));
        Assert.False(redaction.IsIn("https://login.example/token"));
    }

    /// <summary>A server knows the tokens that it has given out, and may write nearly the same all over its message. Without a bound this takes minutes.</summary>
    [Fact]
    public void TextIsSearchedUpToABound()
    {
        var redaction = new Redaction();
        redaction.Add(new string('a', 500_000));

        string shown = redaction.Of(new string('b', 20_000))!;

        Assert.Equal(new string('b', 8 * 1024), shown);
    }

    [Fact]
    public void SecretAtTheBoundIsTakenOutThoughItsEndIsBeyond()
    {
        var redaction = new Redaction();
        redaction.Add(string.Concat(Enumerable.Range(0, 4_000).Select(number => $"{number},")));
        string secret = string.Concat(Enumerable.Range(0, 4_000).Select(number => $"{number},"));

        string shown = redaction.Of(new string('b', 100) + secret)!;

        Assert.Equal(new string('b', 100) + "(redacted)", shown);
    }

    [Fact]
    public void OtherTextStays()
    {
        var redaction = new Redaction();
        redaction.Add(Secret, null, "");

        Assert.Equal("100 % of %zz and %2", redaction.Of("100 % of %zz and %2"));
        Assert.Null(redaction.Of(null));
    }
}
